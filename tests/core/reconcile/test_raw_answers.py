"""What crosses the stream itself: answers that no HTTP library writes, and requests as they are sent."""

from __future__ import annotations

import errno
import json
import socket
import threading
import time
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from docker.utils import config

from rkx.errors import BadAnswer
from rkx.reconcile.engine_api import look
from rkx.reconcile.link import Link
from rkx.reconcile.sessions import session

PING = b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 2\r\n\r\nOK"
NEGATIVE = b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n"


class Raw:
    """A way to an Engine that answers each request with bytes; ``heard`` are the heads of the requests."""

    def __init__(self, *answers: bytes) -> None:
        self._answers, self.heard = iter(answers), list[str]()

    def engine(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        threading.Thread(target=self._talk, args=(theirs,), daemon=True).start()
        return ours

    def _talk(self, stream: socket.socket) -> None:
        with suppress(OSError), stream, stream.makefile("rb") as given:
            while head := b"".join(iter(given.readline, b"\r\n")) if given.peek(1) else b"":
                self.heard.append(head.decode())
                stream.sendall(next(self._answers))

    def close(self) -> None:
        """Leave it."""


def ping(way: Raw) -> None:
    Link("one", way).api_version()


def view(way: Raw) -> None:
    with Link("one", way).http() as engine:
        look(engine, "/info")


def inspect(way: Raw) -> None:
    with Link("one", way).docker() as docker:
        docker.inspect("x")


@pytest.mark.parametrize(("ask", "before"), [(ping, ()), (view, ()), (inspect, (PING,))])
def test_a_chunk_of_a_size_below_zero_is_the_nodes_fault(ask: Callable[[Raw], None], before: tuple[bytes, ...]) -> None:
    with pytest.raises(BadAnswer, match="has a chunk of a size below zero") as found:
        ask(Raw(*before, NEGATIVE))
    assert found.value.node == "one"


@pytest.mark.parametrize(("ask", "before"), [(ping, ()), (view, ()), (inspect, (PING,))])
@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 OK",
        b"HTTP/1.1 200 OK\r\nContent-Type: multipart/mixed; boundary*=a; boundary*1=b",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2",
    ],
    ids=["status", "boundary", "two lengths"],
)
def test_what_is_not_http_is_the_nodes_fault(
    ask: Callable[[Raw], None], before: tuple[bytes, ...], head: bytes
) -> None:
    with pytest.raises(BadAnswer) as found:
        ask(Raw(*before, head + b"\r\n\r\n"))
    assert found.value.node == "one"


def test_a_head_has_a_limit_while_it_is_read() -> None:
    """Python needs a time that is quadratic in its size."""
    began = time.process_time()
    folded = b"".join(b" ;" + b"a=b;" * 16000 + b"\r\n" for _ in range(8))
    with pytest.raises(BadAnswer, match="one: GET /info: the answer has headers of more than 64 KiB"):
        view(Raw(b"HTTP/1.1 200 OK\r\nContent-Type: multipart/mixed\r\n" + folded + b"\r\n"))
    assert time.process_time() - began < 1


@pytest.mark.parametrize("number", [errno.EPIPE, errno.ECONNRESET])
def test_a_stream_that_ends_while_it_is_opened_is_a_broken_one(number: int) -> None:
    def connect() -> socket.socket:
        raise OSError(number, "gone")

    with pytest.raises(ConnectionError, match="gone"):
        session(connect, "one").get("/readyz")


@pytest.mark.parametrize("client", ["look", "docker"])
def test_an_answer_in_the_smallest_chunks_takes_no_more_memory(client: str) -> None:
    text = json.dumps({"Id": "x" * 60_000}).encode()  # of an even length
    chunks = b"".join(b"2\r\n%s\r\n" % text[at : at + 2] for at in range(0, len(text), 2))
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"
    way = Raw(answer) if client == "look" else Raw(PING, answer)
    tracemalloc.start()
    try:
        view(way) if client == "look" else inspect(way)
        assert tracemalloc.get_traced_memory()[1] < 8 * len(text)
    finally:
        tracemalloc.stop()


def test_no_engine_is_sent_what_the_operators_own_docker_client_sends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"HttpHeaders": {"X-Token": "hunter2"}, "auths": {"r": {"auth": "aHVudGVyMjp4"}}}))
    monkeypatch.setattr(config, "find_config_file", lambda _path=None: str(file))
    assert config.load_general_config()["HttpHeaders"]
    answer = b'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{"Id":"x"}'
    way = Raw(PING, answer, answer)
    with Link("one", way).docker() as docker:
        docker.inspect("x")
        docker.create({}, "x")
    assert (len(way.heard), "hunter2" in str(way.heard), "aHVudGVyMjp4" in str(way.heard)) == (3, False, False)
