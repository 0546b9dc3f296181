"""A channel of an SSH connection as a byte stream."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

import paramiko

PIECE_BYTES = 1 << 18


def close(channel: paramiko.Channel) -> None:
    """Close a channel, whose connection may end at this moment, or rest in a new key exchange."""
    with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
        channel.close()


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Say as OSError, which whoever reads a stream expects, what paramiko says of a connection that is lost."""
    try:
        yield
    except (EOFError, paramiko.SSHException) as error:
        raise OSError(str(error) or "the connection is lost") from error


class SshStream:
    """A channel as ``rkx.transport.bridge`` wants it; ``first`` was read already, ``at_end`` called once at close."""

    def __init__(
        self, channel: paramiko.Channel, *, first: bytes = b"", at_end: Callable[[], None] | None = None
    ) -> None:
        self.channel = channel
        self._first = first
        self._at_end = at_end
        self._lock = threading.Lock()

    def send_bytes(self, piece: bytes) -> None:
        """Send all of ``piece``; OSError where the connection is lost."""
        with _told():
            self.channel.sendall(piece)

    def receive(self) -> bytes:
        """Wait for bytes; empty at the end, OSError where the connection is lost."""
        if self._first:
            first, self._first = self._first, b""
            return first
        with _told():
            return self.channel.recv(PIECE_BYTES)

    def end_sending(self) -> None:
        """Close the sending half; OSError where the connection is lost."""
        with _told():
            self.channel.shutdown_write()

    def close(self) -> None:
        """Close both halves."""
        close(self.channel)
        with self._lock:
            at_end, self._at_end = self._at_end, None
        if at_end:
            at_end()
