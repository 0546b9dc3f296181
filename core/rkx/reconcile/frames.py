"""What a container says over an attached stream, as the Engine frames it.

docker-py's own reader waits for the first byte of each piece without any limit.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator

HEADER = struct.Struct(">BxxxL")
PIECE_BYTES = 1 << 16


def frames(stream: io.RawIOBase | io.BufferedReader) -> Iterator[tuple[int, bytes]]:
    """Return pieces of at most 64 KiB, each with 1 for output and 2 for complaints, until the stream ends.

    Raises OSError where the stream stays silent for longer than its own time limit.
    """
    while len(header := _exactly(stream, HEADER.size)) == HEADER.size:
        kind, left = HEADER.unpack(header)
        while left and (piece := stream.read(min(left, PIECE_BYTES))):
            left -= len(piece)
            yield kind, piece


def _exactly(stream: io.RawIOBase | io.BufferedReader, size: int) -> bytes:
    found = b""
    while len(found) < size and (piece := stream.read(size - len(found))):
        found += piece
    return found
