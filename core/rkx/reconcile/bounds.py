"""Limits on the size and the total time of an answer: what answers may be malicious.

Bytes are counted where they leave the stream, so headers, chunks and what Docker's client reads are counted, too. One
look at a node may ask for many answers, and what they hold is kept: they have one ``Budget`` together.
"""

from __future__ import annotations

import io
import socket
import threading
import time
from http.client import HTTPException, HTTPResponse, RemoteDisconnected
from typing import Any

import msgspec

from rkx.errors import BadAnswer

MIB = 1 << 20
_HINT = "look at what answers there; --allow-unreachable NODE leaves a node aside"


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """Of one answer, or of all in one look: ``size`` in bytes, and ``seconds`` from a request to its last byte.

    A request that itself waits longer than ``seconds`` may take as long as it waits.
    """

    size: int
    seconds: float


ENGINE = Limit(size=32 * MIB, seconds=300)
"""3000 containers of 4 KiB are 12 MiB, the state of 1000 nodes is 12 MiB; 1 Mbit/s brings 32 MiB in 270 s."""
API = Limit(size=64 * MIB, seconds=300)
"""5000 pods of 12 KiB are 59 MiB."""
BATCH = Limit(size=32 * MIB, seconds=900)
"""Of rkx-node, which is silent while it deletes what thousands of pods left."""
PULL = Limit(size=64 * MIB, seconds=3600)
"""An hour of progress: 6 KiB a second, as three layers at a time tell of themselves ten times a second."""
PROBE = Limit(size=MIB, seconds=10)
"""One word, or the list of a server's own checks."""
PING = Limit(size=MIB, seconds=8)
ATTACHED = Limit(size=MIB, seconds=10)
"""Of the answer that comes before an attached stream."""
HEAD_BYTES = 1 << 16
"""Of status line and headers: Python reads headers as those of a mail, in a time that is quadratic in their size."""


class TooLate(BadAnswer):
    """An answer that took longer than its limit: asked again, its server would take as long."""


class Budget:
    """The bytes that may still come: in one answer, or in all of one look, which come side by side."""

    def __init__(self, size: int) -> None:
        self._rest = size
        self._lock = threading.Lock()

    def spend(self, size: int) -> bool:
        """Take bytes off; tells if there were so many."""
        with self._lock:
            self._rest -= size
            return self._rest >= 0


class Gauge:
    """What one answer may still bring, and until when."""

    def __init__(self, limit: Limit, ends: float, budget: Budget, node: str, asked: str) -> None:
        self._limit, self._ends, self._budget = limit, ends, budget
        self._node, self._asked = node, asked[:200]

    def left(self) -> float:
        """Return the seconds that are left; TooLate, a BadAnswer, when there are none."""
        left = self._ends - time.monotonic()
        if left <= 0:
            raise self.bad(f"takes longer than {self._limit.seconds:g} s", TooLate)
        return left

    def count(self, size: int) -> None:
        """Note bytes that came; BadAnswer when they are too many."""
        if not self._budget.spend(size):
            raise self.bad(f"is larger than {self._limit.size / MIB:g} MiB, with those before it in one look")

    def lift(self) -> None:
        """Bound nothing from here on: the answer is over, and its stream carries others, with limits of their own."""
        self._ends, self._budget = float("inf"), Budget(1 << 62)

    def bad(self, why: str, kind: type[BadAnswer] = BadAnswer) -> BadAnswer:
        """Return the error that says what is wrong with the answer."""
        return kind(f"{self._node}: {self._asked}: the answer {why}", node=self._node, hint=_HINT)


class Counted(socket.SocketIO):
    """The reading end of a stream, as http.client and Docker's client know it, with a gauge."""

    def __init__(self, stream: socket.socket, gauge: Gauge) -> None:
        super().__init__(stream, "r")
        stream._io_refs += 1  # type: ignore[attr-defined] # as socket.makefile does: whoever reads keeps it open
        self._stream, self._gauge = stream, gauge

    def bad(self, why: str) -> BadAnswer:
        """Return the error of an answer that is read here."""
        return self._gauge.bad(why)

    def lift(self) -> None:
        """Read on without limits."""
        self._gauge.lift()
        self._stream.settimeout(None)

    def readinto(self, buffer: Any) -> int | None:  # noqa: ANN401 - a writable buffer, which typing names from 3.12 on
        """Read at most until the gauge's end."""
        left, waits = self._gauge.left(), self._stream.gettimeout()
        if left != float("inf") and (waits is None or left < waits):
            self._stream.settimeout(left)
        try:
            size = super().readinto(buffer)
        except TimeoutError:
            self._gauge.left()  # its own error, if that was the end
            raise
        self._gauge.count(size or 0)
        return size


class _File(io.BufferedReader):
    """What http.client and urllib3 read: first lines of the head; a chunk's size may have a sign."""

    def __init__(self, raw: Counted) -> None:
        super().__init__(raw)
        self._counted = raw
        self.head_left = float(HEAD_BYTES)

    def readline(self, size: int | None = -1) -> bytes:
        line = super().readline(size)
        self.head_left -= len(line)
        if self.head_left < 0:
            raise self._counted.bad(f"has headers of more than {HEAD_BYTES >> 10} KiB")
        return line

    def read(self, size: int | None = -1) -> bytes:
        if size is not None and size < -1:
            raise self._counted.bad("has a chunk of a size below zero")
        return super().read(size)


class Response(HTTPResponse):
    """An answer that is read through a gauge."""

    def __init__(self, stream: socket.socket, *args: Any, gauge: Gauge, **kwargs: Any) -> None:  # noqa: ANN401
        self._gauge, self._file = gauge, _File(Counted(stream, gauge))
        super().__init__(_Opened(self._file), *args, **kwargs)  # type: ignore[arg-type] # it makes a file

    def begin(self) -> None:
        """Read the head; BadAnswer where that is none of HTTP, or its headers are not read by Python."""
        try:
            super().begin()
        except RemoteDisconnected:
            raise
        except (HTTPException, ValueError, TypeError, LookupError, RecursionError) as error:
            raise self._gauge.bad(f"has a head that cannot be read: {type(error).__name__}") from error
        self._file.head_left = float("inf")


class _Opened:
    """What http.client takes for a socket: it wants its file alone."""

    def __init__(self, file: _File) -> None:
        self._file = file

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return the file."""
        return self._file
