"""The streams that are attached to a node's containers, and the batches of rkx-node that come over them."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import BinaryIO

from rkx.testing.container import Box, frame
from rkx.testing.machine import Machine

PROGRAMS = ("/rkx-node", "/var/lib/rkx/bin/rkx-node")
"""Entry points that read a batch."""


class Attached:
    """One node's attached streams, by container."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._streams: dict[str, list[BinaryIO]] = {}
        self._doing, self._changed = threading.Lock(), threading.Condition()

    def notify(self) -> None:
        """Have those who wait look at their containers again."""
        with self._changed:
            self._changed.notify_all()

    def wait(self, box: Box, is_there: Callable[[], bool]) -> None:
        """Return once the container has ended, or is not there; rkx-node has when its clients are gone."""
        reads = box.config.get("Entrypoint", [""])[0] in PROGRAMS

        def has_ended() -> bool:
            is_left = reads and not self._streams.get(box.id)
            return box.state != "running" or is_left or not is_there()

        with self._changed:
            self._changed.wait_for(has_ended)
        box.state = "exited"

    def read(self, box: Box, run: int, given: BinaryIO, said: BinaryIO) -> None:
        """Be rkx-node: read a batch whole, then do it; one that is cut off does nothing.

        All that are attached hear what it says, whoever of them sent the batch that came whole first.
        """
        lines: list[bytes] = []
        attached = self._streams.setdefault(box.id, [])
        attached.append(said)
        try:
            while (line := given.readline()) and b'"end"' not in line[:20]:
                lines.append(line)
            with self._doing:
                if (box.runs, box.state) == (run, "running"):
                    self._perform(box, [*lines, line])
        finally:
            with self._changed:
                attached.remove(said)
                self._changed.notify_all()

    def _perform(self, box: Box, lines: list[bytes]) -> None:
        if lines[-1].endswith(b"\n") and box.config.get("Entrypoint", [""])[0] in PROGRAMS:
            for answer in self._machine.perform(lines):
                self.say(box, answer)
        box.state = "exited"

    def say(self, box: Box, answer: bytes, stream: int = 1) -> None:
        """Send all who are attached to a container what it wrote: of stream 1, or 2 for errors."""
        for said in [*self._streams.get(box.id, ())]:
            with contextlib.suppress(OSError, ValueError):  # that client is gone
                said.write(frame(stream, answer))
