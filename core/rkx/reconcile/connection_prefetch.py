"""Open the ways to nodes while the rest of rkx is still being imported: a login waits more than it computes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import suppress

from rkx.errors import RkxError
from rkx.model.node import Node
from rkx.transport import Prompt, Transport

AT_ONCE = 32
"""A bastion before many machines refuses more logins at a time (sshd's MaxStartups)."""


class ConnectionPrefetch:
    """Transports that open on threads of their own; each is given away once, to whoever asks for its node.

    The threads are daemons: one that a silent machine holds up does not hold up the end of the program.
    """

    def __init__(self, opens: Callable[[Node, Prompt | None], Transport], prompt: Prompt | None) -> None:
        self._opens, self._prompt = opens, prompt
        self._begun: dict[str, Future[Transport]] = {}
        self._places = threading.Semaphore(AT_ONCE)

    def begin(self, nodes: Iterable[Node]) -> None:
        """Begin to open."""
        for node in nodes:
            future: Future[Transport] = Future()
            self._begun[node.name] = future
            threading.Thread(target=self._fill, args=(future, node), daemon=True, name=f"open {node.name}").start()

    def _fill(self, future: Future[Transport], node: Node) -> None:
        try:
            with self._places:
                opened = self._opens(node, self._prompt)
            future.set_result(opened)
        except BaseException as error:  # noqa: BLE001 - the top of a thread: carried to whoever asks
            future.set_exception(error)

    def open(self, node: Node) -> Transport:
        """Return a node's transport once it is open, or open one now; raises what opening raised."""
        begun = self._begun.pop(node.name, None)
        return self._opens(node, self._prompt) if begun is None else begun.result()

    def close(self) -> None:
        """Close those that were not asked for, each as soon as it is open."""
        for begun in self._begun.values():
            begun.add_done_callback(_close)


def _close(begun: Future[Transport]) -> None:
    if begun.exception() is None:
        with suppress(RkxError, OSError):
            begun.result().close()
