"""Streams that a transport opens, as a pool of urllib3's: no other host is asked, and each answer has its limits."""

from __future__ import annotations

import queue
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

import urllib3

from rkx.errors import BadAnswer
from rkx.reconcile.bounds import ENGINE, Budget, Gauge, Limit, Response

Connect = Callable[[], socket.socket]
TIMEOUT_S = 60.0
KEPT = 8
"""So many idle streams a pool keeps; more are opened as they are wanted."""
WAITS = 10
"""Timeout for getting a stream from a capped pool, in multiples of the timeout of a request."""
STATUSES = range(100, 600)
"""Those of RFC 9110, 15; clients disagree about what others mean."""
REDIRECTS = (301, 302, 303, 307, 308)


class _Connection(urllib3.connection.HTTPConnection):
    def __init__(self, pool: StreamPool) -> None:
        super().__init__(pool.node, timeout=pool.timeout_s)
        self._pool = pool

    def connect(self) -> None:
        """Open a stream. urllib3 takes EPIPE and ECONNRESET here for those of a request that may have an answer."""
        try:
            self.sock = self._pool.connect()
        except OSError as error:
            raise urllib3.exceptions.ProtocolError(str(error) or type(error).__name__) from error
        self.sock.settimeout(self._waits())

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        gauge = self._pool.gauge(f"{method} {url}", self._waits())
        self.response_class = partial(Response, gauge=gauge)  # type: ignore[assignment] # called as a class is
        super().request(method, url, *args, **kwargs)

    def _waits(self) -> float:
        return self.timeout if isinstance(self.timeout, int | float) else TIMEOUT_S


class StreamPool(urllib3.HTTPConnectionPool):
    """Streams to a server of ``node`` that ``connect`` opens, whatever host an address names; TLS is connect's.

    With ``at_most`` so many are open at once, and who wants one more waits for one to become free. ``limit`` is that
    of each answer, or with ``together`` of all that come through this pool.
    """

    def __init__(
        self,
        connect: Connect,
        node: str,
        *,
        timeout_s: float = TIMEOUT_S,
        at_most: int = 0,
        limit: Limit = ENGINE,
        together: bool = False,
    ) -> None:
        super().__init__("node", maxsize=at_most or KEPT, block=bool(at_most))
        self.connect, self.node, self.timeout_s = connect, node, timeout_s
        self._limit = limit
        self._until = time.monotonic() + limit.seconds if together else float("inf")
        self._budget = Budget(limit.size) if together else None

    def gauge(self, asked: str, waits_s: float) -> Gauge:
        """Begin to count an answer's time and bytes; BadAnswer if there is no time left."""
        ends = time.monotonic() + max(self._limit.seconds, waits_s)
        budget = self._budget or Budget(self._limit.size)
        gauge = Gauge(self._limit, min(ends, self._until), budget, self.node, asked)
        gauge.left()  # after the end nothing more is sent
        return gauge

    def urlopen(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        """Send a request over a stream that is free, or becomes so in time.

        Raises BadAnswer for a redirect, a compressed answer, an unknown status or a head that cannot be read,
        ConnectionError when no stream becomes free in time, and what ``connect`` raises.
        """
        try:
            answer = super().urlopen(method, url, *args, **kwargs)
        except urllib3.exceptions.EmptyPoolError as error:
            raise ConnectionError("no stream became free in time") from error
        except urllib3.exceptions.InvalidHeader as error:
            raise self._bad(f"{method} {url}", "the answer has two lengths") from error
        if why := _why_bad(answer.status, answer.headers):
            answer.close()
            answer.release_conn()
            raise self._bad(f"{method} {url}", f"the answer ({answer.status}) {why}")
        return answer

    def _bad(self, asked: str, why: str) -> BadAnswer:
        hint = "look at what answers there in place of the server"
        return BadAnswer(f"{self.node}: {asked[:200]}: {why}", node=self.node, hint=hint)

    def close(self) -> None:
        """Close the streams; who waits for one opens one more, and closes it."""
        waited_for = self.pool
        super().close()
        if waited_for is not None and self.block:
            with suppress(queue.Full):
                for _ in range(waited_for.maxsize):
                    waited_for.put_nowait(None)

    def __str__(self) -> str:
        """Return the node's name, which begins urllib3's errors."""
        return self.node

    def _get_conn(self, timeout: float | None = None) -> Any:  # noqa: ANN401 - urllib3 keeps the type to itself
        """Wait for a free stream, which its user returns in time: urllib3 would wait forever."""
        return super()._get_conn(timeout or WAITS * self.timeout_s)

    def _new_conn(self) -> urllib3.connection.HTTPConnection:
        return _Connection(self)


def _why_bad(status: int, headers: Mapping[str, str]) -> str:
    if status not in STATUSES:
        return "has a status that HTTP does not have"
    if status in REDIRECTS:
        return "is a redirect, and none is followed"
    return "" if headers.get("Content-Encoding", "identity") == "identity" else "is compressed, which was not asked for"
