"""A server that drips, or says nothing from some point on, is given up after one deadline over all that it says."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.plugins.transport_ssh.conftest import Open
from tests.plugins.transport_ssh.server import DRIP_S, Behaviour

import rkx
from rkx_transport_ssh import connect, guarded, login, node, stdio

Drip = Callable[[bytes, int], int]


@pytest.fixture
def drip() -> Iterator[Drip]:
    """Listen on a port; who comes there gets a piece, as often as told, every ``DRIP_S``."""
    listener = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []
    over = threading.Event()

    def serve(piece: bytes, times: int) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = listener.accept()
                with sock, contextlib.suppress(OSError):
                    for _ in range(times):
                        sock.sendall(piece)
                        over.wait(DRIP_S)
                    sock.recv(1 << 16)

    def start(piece: bytes, times: int) -> int:
        threads.append(threading.Thread(target=serve, args=(piece, times)))
        threads[0].start()
        return int(listener.getsockname()[1])

    yield start
    over.set()
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    threads[0].join()


def test_a_greeting_without_end_is_given_up(open_node: Open, drip: Drip) -> None:
    with pytest.raises(rkx.errors.ConnectFailed, match="greeting of more than 64 KiB"):
        open_node(port=drip(b"x" * 70_000, 1))


def test_a_long_line_in_the_place_of_the_greeting_is_cut(open_node: Open, drip: Drip) -> None:
    with pytest.raises(rkx.errors.ConnectFailed, match="shares no algorithm") as caught:
        open_node(port=drip(b"SSH-1.5" + b"x" * 5000 + b"-y\r\n", 1))
    assert len(caught.value.message) < 1000


def test_a_dripping_greeting_is_given_up(open_node: Open, drip: Drip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connect, "KEY_EXCHANGE_S", 0.3)
    started = time.monotonic()
    with pytest.raises(rkx.errors.TimedOut, match="does not end the key exchange"):
        open_node(port=drip(b"x", 40))
    assert time.monotonic() - started < 1.5


def test_a_key_exchange_that_stands_still_is_given_up(
    open_node: Open, behaviour: Behaviour, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connect, "KEY_EXCHANGE_S", 0.3)
    behaviour.no_key_exchange = True
    with pytest.raises(rkx.errors.TimedOut, match="does not end the key exchange"):
        open_node()


def test_a_sign_in_without_end_is_given_up(
    open_node: Open, behaviour: Behaviour, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login, "SIGN_IN_S", 0.3)
    behaviour.endless_sign_in = True
    with pytest.raises(rkx.errors.TimedOut, match=r"does not end the sign-in within 0\.3 s"):
        open_node()


@pytest.fixture
def by_command(behaviour: Behaviour, monkeypatch: pytest.MonkeyPatch) -> Behaviour:
    """Forbid streams to sockets, and give commands little time."""
    for module, name in ((node, "OPEN_S"), (node, "PLACE_S"), (stdio, "LEAST_S")):
        monkeypatch.setattr(module, name, 0.3)
    behaviour.no_streams_to_sockets = True
    return behaviour


def test_a_command_that_is_neither_run_nor_refused_is_given_up(
    open_node: Open, engine: Path, by_command: Behaviour
) -> None:
    by_command.silent_commands = True
    with pytest.raises(rkx.errors.TimedOut, match=r"stream to .*/docker\.sock: sshd did not answer in time"):
        open_node().engine()


@pytest.mark.whole
def test_a_login_shell_that_drips_is_given_up(open_node: Open, engine: Path, by_command: Behaviour) -> None:
    by_command.profile = "for i in 1 2 3 4 5 6 7 8 9; do echo $i; sleep 0.2; done"
    with pytest.raises(rkx.errors.TimedOut, match="sshd did not answer in time"):
        open_node().engine()


def test_a_login_shell_that_prints_without_end_is_given_up(
    open_node: Open, engine: Path, by_command: Behaviour
) -> None:
    by_command.profile = "head -c 100000 /dev/zero"
    with pytest.raises(rkx.errors.StreamRefused, match="prints more than 64 KiB"):
        open_node().engine()


@pytest.mark.whole
def test_a_packet_that_is_taken_by_drips_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarded, "WRITE_S", 0.2)
    ours, theirs = socket.socketpair()
    over = threading.Event()

    def take() -> None:
        with contextlib.suppress(OSError):
            while not over.wait(DRIP_S):
                theirs.recv(1)

    taker = threading.Thread(target=take)
    taker.start()
    ours.settimeout(0.05)
    packets, started = guarded.Packets(ours), time.monotonic()
    with pytest.raises(EOFError):
        packets.write_all(bytes(1 << 23))
    assert time.monotonic() - started < 1
    with pytest.raises(guarded.Violation, match="does not take a packet within"):
        packets.read_all(1)
    over.set()
    theirs.shutdown(socket.SHUT_RDWR)  # it may wait for a byte
    taker.join()
    theirs.close()
