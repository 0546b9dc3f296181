"""A server that keeps to no bound of SSH: the connection ends and is named, and nothing is kept."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from paramiko.common import (
    MSG_CHANNEL_DATA,
    MSG_CHANNEL_EXTENDED_DATA,
    MSG_CHANNEL_OPEN,
    MSG_CHANNEL_OPEN_FAILURE,
    MSG_DEBUG,
    MSG_EXT_INFO,
    MSG_GLOBAL_REQUEST,
    MSG_IGNORE,
    MSG_KEXINIT,
    MSG_REQUEST_SUCCESS,
    MSG_SERVICE_ACCEPT,
    MSG_USERAUTH_BANNER,
    MSG_USERAUTH_FAILURE,
)
from tests.plugins.transport_ssh.conftest import Open
from tests.plugins.transport_ssh.server import Behaviour, Server
from tests.plugins.transport_ssh.test_streams import read_all, talk

import rkx
from rkx_transport_ssh import session
from rkx_transport_ssh.node import SshNode

PIECE = bytes(1 << 15)
MESSAGES = {"data": (MSG_CHANNEL_DATA, (0, PIECE)), "stderr": (MSG_CHANNEL_EXTENDED_DATA, (0, 1, PIECE))}


def expect_lost(opened: SshNode, reason: str) -> None:
    with pytest.raises(rkx.errors.ConnectFailed, match=rf"ubuntu@127\.0\.0\.1:\d+ is lost: sshd .*{reason}") as caught:
        opened.engine()
    assert caught.value.node == "one"


@pytest.mark.parametrize("message", MESSAGES)
def test_more_than_the_window_ends_the_connection(
    open_node: Open, engine: Path, server: Server, monkeypatch: pytest.MonkeyPatch, message: str
) -> None:
    monkeypatch.setattr(session, "WINDOW_BYTES", 4 * len(PIECE))
    opened = open_node()
    with opened.engine() as sock:
        sock.settimeout(5)
        kind, fields = MESSAGES[message]
        server.send(kind, *fields, times=100)
        assert len(read_all(sock)) < 100 * len(PIECE)
    expect_lost(opened, "more than the window of channel 0")
    expect_lost(opened, "more than the window of channel 0")


def test_data_for_a_closed_channel_is_dropped_up_to_its_window(
    open_node: Open, engine: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "WINDOW_BYTES", len(PIECE))
    opened = open_node()
    talk(opened.engine(), b"x")
    server.send(MSG_CHANNEL_DATA, 0, PIECE)
    with opened.engine() as sock:
        sock.settimeout(5)
        server.send(MSG_CHANNEL_DATA, 0, PIECE, times=2)
        assert read_all(sock) == b""
    expect_lost(opened, "channel 0, which is closed")


@pytest.mark.parametrize(
    ("kind", "fields", "reason"),
    [
        (MSG_CHANNEL_DATA, (0, PIECE + b"x"), "32769 bytes at once on channel 0"),
        (MSG_CHANNEL_DATA, (77, b"x"), "channel 77, which was never opened"),
        (MSG_IGNORE, (PIECE * 9,), "a packet of more than 256 KiB"),
    ],
)
def test_one_message_beyond_its_bound_ends_the_connection(
    open_node: Open, engine: Path, server: Server, kind: int, fields: tuple[int | bytes, ...], reason: str
) -> None:
    opened = open_node()
    with opened.engine() as sock:
        sock.settimeout(5)
        server.send(kind, *fields)
        assert read_all(sock) == b""
    expect_lost(opened, reason)


UNASKED: dict[str, tuple[int, tuple[str | int, ...], str]] = {
    "service accepted": (MSG_SERVICE_ACCEPT, ("ssh-userauth",), "message 6,"),
    "banner after the sign-in": (MSG_USERAUTH_BANNER, ("hello", "en"), "message 53,"),
    "many extensions": (MSG_EXT_INFO, (65, *["name", "value"] * 65), "more than 64 extensions"),
}


@pytest.mark.parametrize("message", UNASKED)
def test_what_nobody_asked_for_ends_the_connection(open_node: Open, engine: Path, server: Server, message: str) -> None:
    kind, fields, reason = UNASKED[message]
    opened = open_node()
    with opened.engine() as sock:
        sock.settimeout(5)
        server.send(kind, *fields)
        assert read_all(sock) == b""
    expect_lost(opened, reason)


@pytest.mark.parametrize("kind", [MSG_KEXINIT, MSG_USERAUTH_FAILURE, MSG_CHANNEL_OPEN_FAILURE])
def test_words_that_are_no_text_end_the_connection_and_are_that_nodes_fault(
    open_node: Open, behaviour: Behaviour, kind: int
) -> None:
    """Nobody has signed in yet when the first of them come."""
    behaviour.unreadable = kind
    behaviour.users = {} if kind == MSG_USERAUTH_FAILURE else behaviour.users
    with pytest.raises(rkx.errors.ConnectFailed, match="sshd sends what cannot be read: UnicodeDecodeError") as caught:
        open_node().engine()
    assert caught.value.node == "one"


@pytest.mark.parametrize("kind", [MSG_CHANNEL_OPEN, MSG_GLOBAL_REQUEST])
def test_a_request_that_is_no_text_ends_the_connection(
    open_node: Open, engine: Path, server: Server, kind: int
) -> None:
    opened = open_node()
    with opened.engine() as sock:
        sock.settimeout(5)
        server.send(kind, b"\xff\xfe", 1, 1, 1)
        assert read_all(sock) == b""
    expect_lost(opened, "what cannot be read: UnicodeDecodeError")


def test_what_may_be_sent_unasked_is_not_kept(open_node: Open, engine: Path, server: Server) -> None:
    opened = open_node()
    for kind in ("session", "forwarded-tcpip", "x11", "auth-agent@openssh.com"):
        server.send(MSG_CHANNEL_OPEN, kind, 5, 1 << 20, 1 << 15, "127.0.0.1", 1, "127.0.0.1", 2, times=50)
    server.send(MSG_GLOBAL_REQUEST, "any", True, times=50)
    server.send(MSG_REQUEST_SUCCESS, times=50)
    server.send(MSG_DEBUG, True, "words", "en", times=50)
    server.send(MSG_IGNORE, PIECE, times=50)
    assert talk(opened.engine(), b"x") == b"xEND"
    (kept,) = opened._sessions
    assert (kept.server_accepts, len(kept.channels_seen)) == ([], 1)


def test_refusals_that_nobody_asked_for_are_forgotten(
    open_node: Open, engine: Path, server: Server, behaviour: Behaviour
) -> None:
    opened = open_node()
    for number in range(1, 10):
        server.send(MSG_CHANNEL_OPEN_FAILURE, number, 1, "said before", "en")
    talk(opened.engine(), b"x")  # they came before this answer
    behaviour.mute = True
    with pytest.raises(rkx.errors.TimedOut):
        opened.dial("tcp:127.0.0.1:1", timeout_s=0.3)


def test_a_long_refusal_is_cut(open_node: Open, server: Server, behaviour: Behaviour) -> None:
    behaviour.mute = True
    opened = open_node()
    refuse = threading.Timer(0.2, server.send, (MSG_CHANNEL_OPEN_FAILURE, 0, 2, "x" * 100_000, "en"))
    refuse.start()
    with pytest.raises(rkx.errors.StreamRefused) as caught:
        opened.dial("tcp:127.0.0.1:1", timeout_s=5)
    refuse.join()
    assert 4096 <= len(caught.value.message) < 5000
