"""A bridged stream ends with either of its ends, and leaves no thread and no descriptor, whatever the server does."""

from __future__ import annotations

import gc
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from types import SimpleNamespace

import pytest

from rkx import transport
from rkx.reconcile.relay import _Relay


class Silent:
    """A server that takes a stream and never ends it; one that is ``stuck`` takes no byte either."""

    def __init__(self, *, stuck: bool = False) -> None:
        self.taken, self.stuck = b"", stuck
        self.says: list[bytes] = []
        self.closed, self.half = threading.Event(), threading.Event()

    def send_bytes(self, piece: bytes) -> None:
        if self.stuck:
            self.closed.wait()
            raise BrokenPipeError
        self.taken += piece

    def receive(self) -> bytes:
        if self.half.wait() and self.says:
            return self.says.pop(0)
        self.closed.wait()
        return b""

    def end_sending(self) -> None:
        self.half.set()

    def close(self) -> None:
        self.closed.set()
        self.half.set()


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "ENDS_S", 0.05)


@pytest.fixture
def clean() -> Iterator[None]:
    """See that the test leaves no thread and no descriptor."""
    gc.collect()  # what other tests left in cycles would be closed meanwhile
    threads, descriptors = set(threading.enumerate()), len(os.listdir("/proc/self/fd"))
    yield
    for thread in set(threading.enumerate()) - threads:
        thread.join(5)
        assert not thread.is_alive()
    assert len(os.listdir("/proc/self/fd")) == descriptors


@pytest.mark.usefixtures("clean")
@pytest.mark.parametrize("stuck", [False, True])
def test_a_server_that_never_ends_holds_nothing_of_ours(*, stuck: bool) -> None:
    channels = [Silent(stuck=stuck) for _ in range(20)]
    for channel in channels:
        with transport.bridge(channel) as ours:
            ours.sendall(b"hello")
    assert all(channel.closed.wait(5) for channel in channels)
    assert {channel.taken for channel in channels} == {b"" if stuck else b"hello"}


@pytest.mark.usefixtures("clean")
def test_a_half_closed_stream_goes_on_for_as_long_as_the_server_likes() -> None:
    channel = Silent()
    channel.says = [b"late"]
    with transport.bridge(channel) as ours:
        ours.settimeout(0.2)
        ours.shutdown(socket.SHUT_WR)
        assert ours.recv(10) == b"late"
        with pytest.raises(TimeoutError):  # which is four times what a server has after our end is closed
            ours.recv(10)
        assert not channel.closed.is_set()


@pytest.mark.usefixtures("clean")
def test_a_server_that_ends_in_time_is_not_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "ENDS_S", 5.0)
    order: list[str] = []
    ends = threading.Event()

    class Slow(Silent):
        def receive(self) -> bytes:
            self.half.wait()
            ends.wait()
            order.append("ended")
            return b""

        def close(self) -> None:
            order.append("closed")
            super().close()

    transport.bridge(channel := Slow()).close()
    assert not channel.closed.wait(0.1)
    ends.set()
    assert channel.closed.wait(5)
    assert order[:2] == ["ended", "closed"]


@pytest.mark.usefixtures("clean")
def test_the_end_of_the_server_is_the_end_of_ours() -> None:
    channel = Silent()
    with transport.bridge(channel) as ours:
        channel.close()
        assert ours.recv(10) == b""


@pytest.mark.usefixtures("clean")
def test_a_relay_that_is_closed_wakes_who_waits_for_it() -> None:
    near, far = socket.socketpair()
    stream = SimpleNamespace(_sock=near, read=near.recv, close=lambda: None, lift=lambda: None)
    with far:
        transport.bridge(_Relay(stream, ExitStack())).close()
        far.settimeout(5)
        assert far.recv(10) == b""
