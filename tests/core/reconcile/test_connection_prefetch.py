"""Ways to nodes open beforehand, are given away once, and are closed if nobody wants them."""

from __future__ import annotations

import socket
import threading

import pytest

import rkx
from rkx.errors import ConnectFailed
from rkx.model.node import Node
from rkx.reconcile.connection_prefetch import ConnectionPrefetch


def node(name: str) -> Node:
    return Node(name=name, address=name, internal_address=name, roles=frozenset({"worker"}), transport="made-up")


class Way:
    """A way that only opens and closes."""

    def __init__(self) -> None:
        self.closed = threading.Event()

    def engine(self) -> socket.socket:
        raise AssertionError("nobody asks for it here")

    def close(self) -> None:
        self.closed.set()


class Ways:
    """Opens ways once it may; ``broken`` is never reached."""

    def __init__(self) -> None:
        self.may_open = threading.Event()
        self.opened: dict[str, Way] = {}
        self.began = threading.Semaphore(0)
        self.is_open = threading.Semaphore(0)

    def __call__(self, wanted: Node, _prompt: rkx.transport.Prompt | None) -> rkx.transport.Transport:
        self.began.release()
        assert self.may_open.wait(10)
        if wanted.name == "broken":
            raise ConnectFailed("broken: refused", node="broken")
        self.opened[wanted.name] = Way()
        self.is_open.release()
        return self.opened[wanted.name]


@pytest.fixture
def ways() -> Ways:
    return Ways()


def test_all_open_at_once_before_anybody_asks(ways: Ways) -> None:
    early = ConnectionPrefetch(ways, None)
    early.begin([node("one"), node("two"), node("broken")])
    assert all(ways.began.acquire(timeout=10) for _ in range(3))
    ways.may_open.set()
    assert early.open(node("one")) is ways.opened["one"]
    with pytest.raises(ConnectFailed):
        early.open(node("broken"))
    early.close()
    assert all(ways.is_open.acquire(timeout=10) for _ in range(2))
    assert ways.opened["two"].closed.wait(10)
    assert not ways.opened["one"].closed.is_set()


def test_a_way_that_opens_after_the_end_is_closed(ways: Ways) -> None:
    early = ConnectionPrefetch(ways, None)
    early.begin([node("slow")])
    assert ways.began.acquire(timeout=10)
    early.close()
    ways.may_open.set()
    assert ways.is_open.acquire(timeout=10)
    assert ways.opened["slow"].closed.wait(10)


def test_a_node_that_was_not_begun_is_opened_when_asked_for(ways: Ways) -> None:
    ways.may_open.set()
    assert ConnectionPrefetch(ways, None).open(node("late")) is ways.opened["late"]
