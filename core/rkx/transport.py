"""What a transport must give, and ``bridge``: a real socket in front of a stream that is none."""

from __future__ import annotations

import contextlib
import select
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
    """A byte stream that is not a socket, such as an SSH channel."""

    def send_bytes(self, piece: bytes) -> None:
        """Send all of ``piece``."""

    def receive(self) -> bytes:
        """Wait for bytes; empty at the end."""

    def end_sending(self) -> None:
        """Close the sending half."""

    def close(self) -> None:
        """Close both halves, so that whoever waits in another method stops; may be called twice."""


PIECE_BYTES = 1 << 16
ENDS_S = 2.0
"""So long a server may take to end a stream by itself once our end is closed: sshd counts a command until then."""


def bridge(channel: Channel) -> socket.socket:
    """Return a real socket whose other end is pumped to ``channel`` by two threads; a third sees both ends closed.

    docker-py needs more than a channel's methods (exec, followed logs, archives), and TLS wraps sockets only.
    """
    ours, theirs = socket.socketpair()
    pumps = [threading.Thread(target=pump, args=(channel, theirs), daemon=True) for pump in (_upwards, _downwards)]
    for pump in pumps:
        pump.start()
    threading.Thread(target=_end, args=(channel, theirs, *pumps), daemon=True).start()
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


def _end(channel: Channel, inner: socket.socket, upwards: threading.Thread, downwards: threading.Thread) -> None:
    """Wait until one end is closed in both halves, which is where POLLHUP comes, and see the other closed as well."""
    closed = select.poll()
    closed.register(inner, 0)
    closed.poll()
    downwards.join(ENDS_S)
    channel.close()
    upwards.join()
    downwards.join()
    inner.close()  # it is no longer used: its number may be another's at once
