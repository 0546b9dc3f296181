"""Sessions over streams: how many are open at once, and what becomes of who waits for one."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from queue import LifoQueue

import pytest

from rkx.errors import TimedOut
from rkx.reconcile.link import Link
from rkx.reconcile.sessions import session
from rkx.testing.wire import Request, Response, as_json, serve

HELD = "/held"


@pytest.fixture
def release() -> Iterator[threading.Event]:
    """Ends the answer to ``HELD``, which goes on until then."""
    event = threading.Event()
    yield event
    event.set()


@pytest.mark.whole
def test_who_finds_no_free_stream_is_told_and_waits_no_longer_than_for_an_answer(release: threading.Event) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"first\n"
        release.wait()

    def answer(request: Request) -> Response:
        return Response(pieces=pieces()) if request.path == HELD else as_json({})

    few = session(lambda: serve("node", answer), "node", timeout_s=0.05, at_most=1)
    with few.get(HELD, stream=True, timeout_s=5), pytest.raises(ConnectionError, match="free"):
        few.get("/other")
    assert few.get("/other").content == b"{}"


@pytest.mark.whole
def test_who_waits_for_a_stream_of_a_session_that_is_closed_waits_no_longer(
    release: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    asks, get = threading.Semaphore(0), LifoQueue.get

    def pieces() -> Iterator[bytes]:
        yield b"first\n"
        release.wait()

    def asked(queue: LifoQueue[object], *args: object, **kwargs: object) -> object:
        asks.release()
        return get(queue, *args, **kwargs)  # type: ignore[arg-type] # as they came

    few = session(
        lambda: serve("node", lambda request: Response(pieces=pieces()) if request.path == HELD else as_json({})),
        "node",
        timeout_s=20,
        at_most=1,
    )
    with few.get(HELD, stream=True), ThreadPoolExecutor(1) as pool:
        monkeypatch.setattr(LifoQueue, "get", asked)
        waiting = pool.submit(few.get, "/other")
        asks.acquire()
        few.close()
        assert waiting.result(10).content == b"{}"


class Wedged:
    """A node whose Engine takes connections and never answers."""

    def __init__(self) -> None:
        self.ends: list[socket.socket] = []

    def engine(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        self.ends.append(theirs)
        return ours

    def close(self) -> None:
        for end in self.ends:
            end.close()


def test_who_is_never_answered_is_told_in_time() -> None:
    way, began = Wedged(), time.monotonic()
    with pytest.raises(TimeoutError), session(way.engine, "node", timeout_s=0.2) as asking:
        asking.get("/info")
    assert time.monotonic() - began < 2
    way.close()


def test_an_engine_that_takes_the_connection_and_never_answers_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rkx.reconcile.link.PING_TIMEOUT_S", 0.2)
    link = Link("one", Wedged())
    with pytest.raises(TimedOut, match="one: its Docker Engine took the connection and gave no answer"):
        link.api_version()
    link.close()
