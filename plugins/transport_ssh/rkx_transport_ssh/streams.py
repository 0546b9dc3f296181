"""A channel of an SSH connection as a byte stream."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

import paramiko

PIECE_BYTES = 1 << 18


class SshStream:
    """A channel as ``rkx.bridge`` wants it; ``first`` are bytes already read, ``at_end`` is called once at close."""

    def __init__(
        self, channel: paramiko.Channel, *, first: bytes = b"", at_end: Callable[[], None] | None = None
    ) -> None:
        self.channel = channel
        self._first = first
        self._at_end = at_end
        self._lock = threading.Lock()

    def send_bytes(self, piece: bytes) -> None:
        """Send all of ``piece``."""
        self.channel.sendall(piece)

    def receive(self) -> bytes:
        """Wait for bytes; empty at the end."""
        if self._first:
            first, self._first = self._first, b""
            return first
        return self.channel.recv(PIECE_BYTES)

    def end_sending(self) -> None:
        """Close the sending half."""
        self.channel.shutdown_write()

    def close(self) -> None:
        """Close both halves."""
        with contextlib.suppress(OSError, EOFError):  # the connection may end at this moment
            self.channel.close()
        with self._lock:
            at_end, self._at_end = self._at_end, None
        if at_end:
            at_end()
