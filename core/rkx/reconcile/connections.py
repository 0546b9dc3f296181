"""The open connections to nodes, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from rkx.errors import ConnectFailed, RkxError, TransportError
from rkx.model.node import Node
from rkx.reconcile.connection_prefetch import AT_ONCE
from rkx.reconcile.link import Link
from rkx.reconcile.relay import Relays
from rkx.transport import Transport

Open = Callable[[Node], Transport]


class Connections:
    """Links by node name, in the order in which they were asked for; ``close`` ends them all.

    Only with ``relays`` a node that forbids forwarding is reached through a container, which a plan never starts.
    """

    def __init__(self, opens: Open, *, relays: bool) -> None:
        self._opens, self._relays = opens, relays
        self.links: dict[str, Link] = {}

    def reach(self, nodes: Iterable[Node], then: Callable[[Link], None] = lambda _link: None) -> dict[str, RkxError]:
        """Connect to nodes side by side, and use each link as soon as it is there; return why others are not."""
        wanted, before = {node.name: node for node in nodes}, [*self.links]
        lost = self.each(wanted, lambda name: then(self._connect(wanted[name])))
        self.links = {name: self.links[name] for name in [*before, *wanted] if name in self.links}
        return lost

    def each(self, names: Iterable[str], work: Callable[[str], None]) -> dict[str, RkxError]:
        """Work on nodes side by side; those whose connection is lost over it are dropped, and returned with why."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            asked = {name: pool.submit(self._attempt, name, work) for name in names}
        return {name: error for name, done in asked.items() if (error := done.result()) is not None}

    def _attempt(self, name: str, work: Callable[[str], None]) -> RkxError | None:
        try:
            work(name)
        except (TransportError, OSError) as error:
            self.drop(name)
            return _named(name, error)
        return None

    def _connect(self, node: Node) -> Link:
        link = Link(node.name, self._opens(node), Relays() if self._relays else None)
        try:
            link.api_version()
        except BaseException:
            link.close()
            raise
        self.links[node.name] = link
        return link

    def drop(self, name: str) -> None:
        """Close the connection to a node, if there is one."""
        if lost := self.links.pop(name, None):
            with suppress(OSError):
                lost.close()

    def close(self) -> None:
        """Close all connections."""
        for name in [*self.links]:
            self.drop(name)


def _named(node: str, error: TransportError | OSError) -> RkxError:
    """Return the error with the node's name, which is what --allow-unreachable wants."""
    if not isinstance(error, TransportError):
        return ConnectFailed(f"{node}: {error}", node=node)
    message = error.message if node in error.message else f"{node}: {error.message}"
    return type(error)(message, node=node, hint=error.hint)
