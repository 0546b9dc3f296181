import socket
import threading
import time
from collections.abc import Iterator

import pytest

from rkx_lab.slow_link import Line, SlowLink


@pytest.fixture
def echo() -> Iterator[tuple[str, int]]:
    """Serve connections that get back what they send."""
    listener = socket.create_server(("127.0.0.1", 0))

    def answer(end: socket.socket) -> None:
        with end:
            while data := end.recv(4096):
                end.sendall(data)

    def serve() -> None:
        while True:
            try:
                end, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(end,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    yield listener.getsockname()
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def read(end: socket.socket, size: int) -> bytes:
    got = b""
    while len(got) < size and (data := end.recv(size - len(got))):
        got += data
    return got


def test_a_good_line_passes_everything(echo: tuple[str, int]) -> None:
    with SlowLink(echo, Line()) as link, socket.create_connection((link.address, link.port)) as end:
        end.sendall(b"x" * 100_000)
        assert read(end, 100_000) == b"x" * 100_000
        assert link.passed >= 100_000


def test_a_line_cut_after_some_bytes_passes_these_and_ends(echo: tuple[str, int]) -> None:
    with SlowLink(echo, Line(cut_after=10)) as link, socket.create_connection((link.address, link.port)) as end:
        end.sendall(b"0123456789abc")
        assert len(read(end, 13)) <= 10


def test_a_slow_line_takes_its_time(echo: tuple[str, int]) -> None:
    with SlowLink(echo, Line(bytes_per_s=10_000)) as link, socket.create_connection((link.address, link.port)) as end:
        begun = time.monotonic()
        end.sendall(b"x" * 200)
        read(end, 200)
        assert time.monotonic() - begun >= 2 * 200 / 10_000


def test_a_long_line_delays_what_it_passes_in_each_direction(echo: tuple[str, int]) -> None:
    with SlowLink(echo, Line(delay_s=0.05)) as link, socket.create_connection((link.address, link.port)) as end:
        begun = time.monotonic()
        end.sendall(b"x")
        assert read(end, 1) == b"x"
        assert time.monotonic() - begun >= 2 * 0.05


def test_a_frozen_line_connects_and_says_nothing(echo: tuple[str, int]) -> None:
    with SlowLink(echo, Line(frozen=True)) as link, socket.create_connection((link.address, link.port)) as end:
        end.settimeout(0.02)
        end.sendall(b"hello")
        with pytest.raises(TimeoutError):
            end.recv(1)


def test_cutting_breaks_what_is_open_and_takes_new_connections(echo: tuple[str, int]) -> None:
    with SlowLink(echo, Line()) as link:
        with socket.create_connection((link.address, link.port)) as end:
            end.sendall(b"x")
            assert read(end, 1) == b"x"
            link.cut()
            assert end.recv(1) == b""
        with socket.create_connection((link.address, link.port)) as end:
            end.sendall(b"y")
            assert read(end, 1) == b"y"
