"""Let docker-py speak over the streams of a pool. Loaded with docker-py alone, as requests takes long to import."""

from __future__ import annotations

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter

from rkx.reconcile.answers import SHORT, refusal, refuse_many
from rkx.reconcile.pieces import PIECE_BYTES, joined
from rkx.reconcile.stream_pool import StreamPool

COOKIES = ("Set-Cookie", "Set-Cookie2")


class StreamAdapter(HTTPAdapter):
    """Let requests speak over a pool's streams, whatever host the address names."""

    def __init__(self, pool: StreamPool) -> None:
        self._pool = pool
        super().__init__()

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
        """Send a request; without a timeout of its own it has the pool's."""
        request.headers["Accept-Encoding"] = "identity"
        return super().send(request, *args, **{**kwargs, "timeout": kwargs.get("timeout") or self._pool.timeout_s})

    def close(self) -> None:
        """Close the streams."""
        self._pool.close()
        super().close()

    def bind(self, session: requests.Session, guard: Callable[[str], None]) -> None:
        """Leave a session no other way than these streams, and nothing of the surroundings.

        ``guard`` is called with the method of each request before it is sent.
        """

        def guarded(request: requests.PreparedRequest) -> requests.PreparedRequest:
            guard(str(request.method))
            return request

        session.auth = guarded
        session.trust_env = False
        session.adapters.clear()
        session.mount("http://", self)
        session.hooks["response"].append(self._plain_refusals)

    def _plain_refusals(self, answer: requests.Response, *, stream: bool = False, **_more: object) -> None:
        """Let docker-py find in each refusal the form that it relies on, and read no JSON that becomes too much."""
        if not stream or not answer.ok:
            answer._content = joined(answer.iter_content(PIECE_BYTES))
        if answer.status_code >= HTTPStatus.BAD_REQUEST:
            answer._content = json.dumps({"message": refusal(answer.content, answer.status_code)}).encode()
        elif not stream:
            refuse_many(answer.content, self._pool.node, f"{answer.request.method} {answer.request.path_url}"[:SHORT])


def as_of_a_socket(error: requests.RequestException) -> OSError:
    """Return what a socket would have raised; requests has two errors for a silence, before an answer and in it."""
    late = isinstance(error, requests.ReadTimeout)
    late |= any(isinstance(each, urllib3.exceptions.ReadTimeoutError) for each in error.args)
    return TimeoutError(str(error)) if late else ConnectionError(str(error))
