"""Sessions over streams: how many are open at once, and what becomes of who waits for one."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import requests

from rkx.engine.link import session
from rkx.testing.wire import Request, Response, as_json, serve

HELD = "/held"


@pytest.fixture
def release() -> Iterator[threading.Event]:
    """Ends the answer to ``HELD``, which goes on until then."""
    event = threading.Event()
    yield event
    event.set()


def test_who_finds_no_free_stream_is_told_and_waits_no_longer_than_for_an_answer(release: threading.Event) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"first\n"
        release.wait()

    def answer(request: Request) -> Response:
        return Response(pieces=pieces()) if request.path == HELD else as_json({})

    few = session(lambda: serve("node", answer), timeout_s=0.2, at_most=1)
    with few.get(f"http://node{HELD}", stream=True, timeout=5), pytest.raises(requests.ConnectionError, match="free"):
        few.get("http://node/other")
    assert few.get("http://node/other").json() == {}
