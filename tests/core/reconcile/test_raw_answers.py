"""What crosses the stream itself: answers that no HTTP library writes, and requests as they are sent."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from docker.utils import config

from rkx.errors import BadAnswer
from rkx.reconcile.engine_api import look
from rkx.reconcile.link import Link

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
        with stream, stream.makefile("rb") as given:
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
