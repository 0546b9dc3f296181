"""HTTP over streams that a transport opens: no other host is ever asked, and each answer has its limits."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter

from rkx.errors import BadAnswer
from rkx.reconcile.bounds import ENGINE, Budget, Gauge, Limit, Response

Connect = Callable[[], socket.socket]
TIMEOUT_S = 60.0
KEPT = 8
"""So many idle streams a session keeps; more are opened as they are wanted."""
WAITS = 10
"""Timeout for getting a stream from a capped pool, in multiples of the timeout of a request."""
HEADER_BYTES = 1 << 16
STATUSES = range(100, 600)
"""Those of RFC 9110, 15; requests and docker-py disagree about what others mean."""
COOKIES = ("Set-Cookie", "Set-Cookie2")
REDIRECTS = (301, 302, 303, 307, 308)


class _Connection(urllib3.connection.HTTPConnection):
    def __init__(self, adapter: StreamAdapter) -> None:
        super().__init__(adapter.node, timeout=adapter.timeout_s)
        self._adapter = adapter

    def connect(self) -> None:
        self.sock = self._adapter.connect()
        self.sock.settimeout(self._waits())

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        gauge = self._adapter.gauge(f"{method} {url}", self._waits())
        self.response_class = partial(Response, gauge=gauge)  # type: ignore[assignment] # called as a class is
        super().request(method, url, *args, **kwargs)

    def _waits(self) -> float:
        return self.timeout if isinstance(self.timeout, int | float) else TIMEOUT_S


class _Pool(urllib3.HTTPConnectionPool):
    def __init__(self, adapter: StreamAdapter, at_most: int) -> None:
        super().__init__("node", maxsize=at_most or KEPT, block=bool(at_most))
        self._adapter = adapter

    def _get_conn(self, timeout: float | None = None) -> Any:  # noqa: ANN401 - urllib3 keeps the type to itself
        """Wait for a free stream, which its user returns in time: requests would wait forever."""
        return super()._get_conn(timeout or WAITS * self._adapter.timeout_s)

    def _new_conn(self) -> urllib3.connection.HTTPConnection:
        return _Connection(self._adapter)


class StreamAdapter(HTTPAdapter):
    """Let requests speak to ``node`` over sockets that ``connect`` opens, whatever host the address names.

    With ``at_most`` so many are open at once, and who wants one more waits for one to become free. ``limit`` is that
    of each answer, or with ``together`` of all that come through this adapter.
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
        self.connect, self.node, self.timeout_s = connect, node, timeout_s
        self._limit = limit
        self._until = time.monotonic() + limit.seconds if together else float("inf")
        self._budget = Budget(limit.size) if together else None
        self._pool = _Pool(self, at_most)
        super().__init__()

    def gauge(self, asked: str, waits_s: float) -> Gauge:
        """Begin to count an answer's time and bytes; BadAnswer if there is no time left."""
        ends = time.monotonic() + max(self._limit.seconds, waits_s)
        budget = self._budget or Budget(self._limit.size)
        gauge = Gauge(self._limit, min(ends, self._until), budget, self.node, asked)
        gauge.left()  # after the end nothing more is sent
        return gauge

    def get_connection_with_tls_context(self, *_args: Any, **_kwargs: Any) -> urllib3.HTTPConnectionPool:  # noqa: ANN401
        """Return the one pool there is."""
        return self._pool

    def request_url(self, request: requests.PreparedRequest, proxies: Any) -> str:  # noqa: ANN401
        """Return the path alone; no proxy is ever asked."""
        return request.path_url

    def build_response(self, request: requests.PreparedRequest, answer: Any) -> requests.Response:  # noqa: ANN401
        """Return the answer without its cookies, which are not used and take long to read."""
        for name in COOKIES:
            del answer._original_response.msg[name]  # where requests looks for them
        return super().build_response(request, answer)

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:  # noqa: ANN401
        """Send over a stream that is free, or becomes so in time; without a limit of its own it has the adapter's.

        Raises BadAnswer for a redirect, a compressed answer, an unknown status or too many headers, and
        ConnectionError when no stream becomes free in time.
        """
        request.headers["Accept-Encoding"] = "identity"
        try:
            answer = super().send(request, *args, **{**kwargs, "timeout": kwargs.get("timeout") or self.timeout_s})
        except urllib3.exceptions.EmptyPoolError as error:
            raise requests.ConnectionError("no stream became free in time", request=request) from error
        if answer.status_code not in STATUSES:
            raise self._bad(request, answer, "has a status that HTTP does not have")
        if answer.status_code in REDIRECTS:
            raise self._bad(request, answer, "leads elsewhere, and no redirect is followed")
        if sum(len(name) + len(value) for name, value in answer.headers.items()) > HEADER_BYTES:
            raise self._bad(request, answer, f"has headers of more than {HEADER_BYTES >> 10} KiB")
        if answer.headers.get("Content-Encoding", "identity") != "identity":
            raise self._bad(request, answer, "is packed, which was not asked for")
        return answer

    def _bad(self, request: requests.PreparedRequest, answer: requests.Response, why: str) -> BadAnswer:
        answer.close()
        asked = f"{request.method} {request.path_url}"[:200]
        return BadAnswer(
            f"{self.node}: {asked}: the answer ({answer.status_code}) {why}",
            node=self.node,
            hint="look at what answers there in place of the server",
        )

    def close(self) -> None:
        """Close the streams."""
        self._pool.close()
        super().close()


class Session(requests.Session):
    """HTTP with one server of ``node``, and with no other."""

    def __init__(self, adapter: StreamAdapter) -> None:
        super().__init__()
        self.node = adapter.node
        bind(self, adapter)


def bind(session: requests.Session, adapter: StreamAdapter) -> None:
    """Leave a session no other way than the adapter's, and nothing of the surroundings."""
    session.trust_env = False
    session.adapters.clear()
    session.mount("http://", adapter)


def session(connect: Connect, node: str, **more: Any) -> Session:  # noqa: ANN401 - those of StreamAdapter
    """Return an HTTP session whose every connection is one that ``connect`` opens; TLS, if any, is connect's."""
    return Session(StreamAdapter(connect, node, **more))


def node_of(answer: requests.Response) -> str:
    """Name the node that gave an answer."""
    return str(getattr(getattr(answer, "connection", None), "node", "the API server"))
