"""The events of a run, from its threads to the one that reads them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from rkx.events import Event
from rkx.lines import MESSAGE, cut


class Events:
    """Carry events from worker threads to the one thread that reads them, numbered in their order."""

    def __init__(self, run: str) -> None:
        self._run, self._count = run, 0
        self._queue: queue.Queue[Event | None] = queue.Queue()
        self._lock = threading.Lock()

    def emit(self, event: Event) -> None:
        """Add an event, of each of its texts at most ``MESSAGE`` characters."""
        shown = _shortened(event)
        with self._lock:
            self._count += 1
            self._queue.put(replace(event, run=self._run, seq=self._count, **shown))

    def end(self) -> None:
        """Say that no more come."""
        self._queue.put(None)

    def __iter__(self) -> Iterator[Event]:
        while (event := self._queue.get()) is not None:
            yield event


def _shortened(event: Event) -> dict[str, Any]:
    values = ((name, getattr(event, name)) for name in event.__struct_fields__)
    return {name: cut(value, MESSAGE) for name, value in values if isinstance(value, str) and len(value) > MESSAGE}
