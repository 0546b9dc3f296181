"""paramiko's connection, held against a server that keeps to no bound: it is ended with a Violation.

paramiko keeps what a server sends, however much: it grants a window for each channel, and never looks whether the
server stays within.
"""

from __future__ import annotations

import socket
import time
from functools import partial

import paramiko
from paramiko.common import (
    MSG_CHANNEL_DATA,
    MSG_CHANNEL_EXTENDED_DATA,
    MSG_SERVICE_ACCEPT,
    MSG_USERAUTH_BANNER,
    MSG_USERAUTH_FAILURE,
    MSG_USERAUTH_SUCCESS,
)
from paramiko.message import Message
from paramiko.packet import Packetizer

PACKET_BYTES = 1 << 18
"""As OpenSSH has it; RFC 4253, 6.1 wants 35000 at least."""


WRITE_S = 60.0
"""For 64 KiB at most, and what waits in the computer's buffers."""
GREETING_BYTES = 1 << 16
"""Of all that comes before the key exchange: lines of words, then the version."""
EXTENSIONS = 64
"""OpenSSH's server announces three (RFC 8308)."""
SIGN_IN = (MSG_SERVICE_ACCEPT, MSG_USERAUTH_FAILURE, MSG_USERAUTH_SUCCESS, MSG_USERAUTH_BANNER)


class Violation(paramiko.SSHException):
    """The server broke a bound of SSH; the words say which, and go on with "sshd"."""


class _Outgoing:
    """A socket that sends nothing after ``until``; all else is the socket's."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.until = float("inf")

    def send(self, data: bytes) -> int:
        if time.monotonic() > self.until:
            raise BrokenPipeError  # which paramiko, unlike TimeoutError, does not try again
        return self._sock.send(data)

    def __getattr__(self, name: str) -> object:
        return getattr(self._sock, name)


class Packets(Packetizer):
    """Reads no packet and no greeting that is too large, and does not send a packet forever."""

    _greeting_bytes = 0

    def __init__(self, sock: socket.socket) -> None:
        self._outgoing = _Outgoing(sock)
        super().__init__(self._outgoing)  # type: ignore[arg-type]  # it takes what acts like a socket

    def read_all(self, n: int, check_rekey: bool = False) -> bytes:
        """Read ``n`` bytes, a packet or part of one; Violation if that is too much."""
        if n > PACKET_BYTES:
            raise Violation(f"sshd sends a packet of more than {PACKET_BYTES >> 10} KiB")
        try:
            return super().read_all(n, check_rekey)
        except EOFError:
            if self.closed and time.monotonic() > self._outgoing.until:
                raise Violation(f"sshd does not take a packet within {WRITE_S:g} s") from None
            raise

    def write_all(self, out: bytes) -> None:  # type: ignore[override]  # all that paramiko gives
        """Send a packet; a server that takes it too slowly would hold all who have something to send."""
        self._outgoing.until = time.monotonic() + WRITE_S
        try:
            super().write_all(out)
        except EOFError:
            self.close()
            raise
        self._outgoing.until = float("inf")

    def _read_timeout(self, timeout: float) -> bytes:
        piece: bytes = super()._read_timeout(timeout)  # type: ignore[misc]  # not in paramiko's stubs
        self._greeting_bytes += len(piece)
        if self._greeting_bytes > GREETING_BYTES:
            raise Violation(f"sshd sends a greeting of more than {GREETING_BYTES >> 10} KiB")
        return piece


class GuardedTransport(paramiko.Transport):
    """A connection on which the server sends no more than each channel's window and packet size allow."""

    def __init__(self, sock: socket.socket, window_bytes: int) -> None:
        super().__init__(sock, default_window_size=window_bytes, packetizer_class=Packets)
        self._late_bytes = 0
        self._answered: object = None
        handlers = {MSG_CHANNEL_DATA: self._take_data, MSG_CHANNEL_EXTENDED_DATA: self._take_stderr}
        handlers |= {kind: partial(self._take_sign_in, kind) for kind in SIGN_IN}
        self._handler_table.update(handlers)  # type: ignore[attr-defined]  # not in paramiko's stubs

    def get_exception(self) -> Exception | None:
        """Return what ended the connection: once, as paramiko does, but a Violation whenever asked.

        Whatever error the reading thread met came from the server, and paramiko raises it in a waiting thread.
        """
        found = self.saved_exception
        if found is not None and not isinstance(found, paramiko.SSHException | EOFError | OSError):
            self.saved_exception = Violation(f"sshd sends what cannot be read: {type(found).__name__}")
        if isinstance(self.saved_exception, Violation):
            return self.saved_exception
        return super().get_exception()

    def _take_data(self, m: Message) -> None:
        number, data = m.get_int(), m.get_binary()
        if channel := self._receiver(number, len(data)):
            channel.in_buffer.feed(data)

    def _take_stderr(self, m: Message) -> None:
        number, _, data = m.get_int(), m.get_int(), m.get_binary()
        if channel := self._receiver(number, len(data)):
            channel.in_stderr_buffer.feed(data)

    def _receiver(self, number: int, size: int) -> paramiko.Channel | None:
        """Return the channel that may take ``size`` bytes more; None if it is closed, Violation if too many."""
        channel: paramiko.Channel | None = self._channels.get(number)  # type: ignore[attr-defined]  # as above
        if channel is None or channel.closed or channel.eof_received:
            self._drop(number, size)
            return None
        if size > channel.in_max_packet_size:
            raise Violation(f"sshd sends {size} bytes at once on channel {number}")
        # what is not read yet, and what was read and not granted again yet; stderr that is not read counts, too
        held = len(channel.in_buffer) + len(channel.in_stderr_buffer) + channel.in_window_sofar
        if held + size > channel.in_window_size:
            raise Violation(f"sshd sends more than the window of channel {number}")
        return channel

    def _drop(self, number: int, size: int) -> None:
        """Drop what was under way when a channel was closed, which is a window at most."""
        if number not in self.channels_seen:
            raise Violation(f"sshd sends data for channel {number}, which was never opened")
        self._late_bytes += size
        if self._late_bytes > self.default_window_size * len(self.channels_seen):
            raise Violation(f"sshd goes on to send data for channel {number}, which is closed")

    def _take_sign_in(self, kind: int, m: Message) -> None:
        """Take what belongs to a try to sign in: to each SERVICE_ACCEPT paramiko signs, with the agent's keys, too."""
        attempt = self.auth_handler
        if attempt is None or self.authenticated or (kind == MSG_SERVICE_ACCEPT and attempt is self._answered):
            raise Violation(f"sshd sends message {kind}, of authentication, unasked")
        if kind == MSG_SERVICE_ACCEPT:
            self._answered = attempt
        attempt._handler_table[kind](m)  # type: ignore[attr-defined]  # as above

    def _parse_ext_info(self, msg: Message) -> None:
        if msg.get_int() > EXTENSIONS:
            raise Violation(f"sshd announces more than {EXTENSIONS} extensions")
        msg.rewind()
        super()._parse_ext_info(msg)  # type: ignore[misc]  # not in paramiko's stubs
