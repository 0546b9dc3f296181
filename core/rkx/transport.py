"""What a transport must give, and ``bridge``: a real socket in front of a stream that is none."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Protocol, runtime_checkable

Prompt = Callable[[str], str]
"""Asks the operator for a passphrase; the argument says what for."""


@runtime_checkable
class Transport(Protocol):
    """One open way to one node; its methods may be called from any thread."""

    def engine(self) -> socket.socket:
        """Open a connected, plain, blocking stream socket to the node's Docker Engine; the caller owns it.

        Raises StreamRefused when the socket is missing or the user may not use it.
        """

    def close(self) -> None:
        """End the connection; may be called twice."""


@runtime_checkable
class Dials(Protocol):
    """A transport that also reaches other addresses; without it core relays through the Engine."""

    def dial(self, address: str, *, timeout_s: float) -> socket.socket:
        """Connect to ``tcp:HOST:PORT`` or ``unix:/path``, as seen from the node.

        Raises StreamRefused when nothing listens there, and DialForbidden when the node forbids forwarding.
        """


class DialForbidden(Exception):
    """The node forbids forwarding; core relays through the Engine instead."""


class Channel(Protocol):
    """A byte stream that is no socket, such as an SSH channel."""

    def send_bytes(self, piece: bytes) -> None:
        """Send all of ``piece``."""

    def receive(self) -> bytes:
        """Wait for bytes; empty at the end."""

    def end_sending(self) -> None:
        """Close the sending half."""

    def close(self) -> None:
        """Close both halves."""


PIECE_BYTES = 1 << 16


def bridge(channel: Channel) -> socket.socket:
    """Give a real socket whose other end is pumped to ``channel`` by two threads.

    docker-py needs more than a channel's methods (exec, followed logs, archives), and TLS wraps sockets only.
    """
    ours, theirs = socket.socketpair()
    for pump in (_upwards, _downwards):
        threading.Thread(target=pump, args=(channel, theirs), daemon=True).start()
    return ours


def _upwards(channel: Channel, inner: socket.socket) -> None:
    with contextlib.suppress(OSError, EOFError):
        while piece := inner.recv(PIECE_BYTES):
            channel.send_bytes(piece)
        channel.end_sending()


def _downwards(channel: Channel, inner: socket.socket) -> None:
    try:
        while piece := channel.receive():
            inner.sendall(piece)
    except (OSError, EOFError):
        pass
    finally:
        channel.close()
        with contextlib.suppress(OSError):
            inner.shutdown(socket.SHUT_RDWR)
        inner.close()
