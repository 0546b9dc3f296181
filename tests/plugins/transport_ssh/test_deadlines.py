"""A server that drips, or says nothing from some point on, is given up after one deadline over all that it says."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from tests.plugins.transport_ssh.conftest import Open

import rkx

Drip = Callable[[bytes, int], int]


@pytest.fixture
def drip() -> Iterator[Drip]:
    """Listen on a port; who comes there gets a piece, as often as told, every 50 ms."""
    listener = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def serve(piece: bytes, times: int) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = listener.accept()
                with sock, contextlib.suppress(OSError):
                    for _ in range(times):
                        sock.sendall(piece)
                        time.sleep(0.05)
                    sock.recv(1 << 16)

    def start(piece: bytes, times: int) -> int:
        threads.append(threading.Thread(target=serve, args=(piece, times)))
        threads[0].start()
        return int(listener.getsockname()[1])

    yield start
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    threads[0].join()


def test_a_greeting_without_end_is_given_up(open_node: Open, drip: Drip) -> None:
    with pytest.raises(rkx.ConnectFailed, match="greeting of more than 64 KiB"):
        open_node(port=drip(b"x" * 70_000, 1))
