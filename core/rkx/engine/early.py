"""Open the ways to nodes while the rest of rkx is still being imported: a login waits more than it computes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress

from rkx.errors import RkxError
from rkx.model.node import Node
from rkx.transport import Prompt, Transport

AT_ONCE = 32


class Early:
    """Transports that open on threads of their own; each is given away once, to whoever asks for its node."""

    def __init__(self, opens: Callable[[Node, Prompt | None], Transport], prompt: Prompt | None) -> None:
        self._opens, self._prompt = opens, prompt
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="open")
        self._begun: dict[str, Future[Transport]] = {}

    def begin(self, nodes: Iterable[Node]) -> None:
        """Begin to open."""
        self._begun = {node.name: self._pool.submit(self._opens, node, self._prompt) for node in nodes}

    def open(self, node: Node) -> Transport:
        """Give a node's transport once it is open, or open one now; raises what opening raised."""
        begun = self._begun.pop(node.name, None)
        return self._opens(node, self._prompt) if begun is None else begun.result()

    def close(self) -> None:
        """Close those that nobody asked for, each as soon as it is open."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        for begun in self._begun.values():
            begun.add_done_callback(_close)


def _close(begun: Future[Transport]) -> None:
    if not begun.cancelled() and begun.exception() is None:
        with suppress(RkxError, OSError):
            begun.result().close()
