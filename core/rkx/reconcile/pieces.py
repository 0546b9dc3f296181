"""An answer as a file: it is read as it comes, and nothing of it is kept."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import Any

PIECE_BYTES = 1 << 14


def joined(pieces: Iterable[bytes]) -> bytes:
    """Return all that comes; b"".join keeps an object for each piece, and a chunk may be one byte."""
    whole = bytearray()
    for piece in pieces:
        whole += piece
    return bytes(whole)


def opened(pieces: Iterator[bytes]) -> io.BufferedReader:
    """Return what comes piece by piece, each of at least one byte, as a file."""
    return io.BufferedReader(_Pieces(pieces))


class _Pieces(io.RawIOBase):
    """Return an iterator of bytes the form of a file."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - a writable buffer, which typing names from 3.12 on
        self._rest = self._rest or next(self._pieces, b"")
        taken = min(len(buffer), len(self._rest))
        buffer[:taken], self._rest = self._rest[:taken], self._rest[taken:]
        return taken
