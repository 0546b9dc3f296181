"""HTTP with one server over streams that a transport opens: how Engines are looked at, and API servers are asked."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, Self
from urllib.parse import urlencode

import urllib3

from rkx.reconcile.answers import refusal
from rkx.reconcile.pieces import PIECE_BYTES, joined, opened
from rkx.reconcile.stream_pool import Connect, StreamPool

HEADERS = {"User-Agent": "rkx", "Accept": "*/*", "Accept-Encoding": "identity"}


class HttpError(Exception):
    """An error status, which ``Answer.checked`` met; the message is what the answer says."""


class Answer:
    """An answer of ``node``, which is read once: as ``content``, or as a ``file`` if it was asked for as a stream.

    Reading raises BadAnswer beyond its limits, and TimeoutError and ConnectionError where the stream breaks.
    """

    def __init__(self, raw: urllib3.BaseHTTPResponse, node: str) -> None:
        self.status, self.headers, self.node = raw.status, raw.headers, node
        self._raw = raw
        self._content: bytes | None = None

    @property
    def ok(self) -> bool:
        """Return whether the status is below 400."""
        return self.status < HTTPStatus.BAD_REQUEST

    @property
    def content(self) -> bytes:
        """Return what it holds."""
        if self._content is None:
            self._content = joined(self._pieces())
        return self._content

    def file(self) -> io.BufferedReader:
        """Return what it holds as a file, which is read as it comes."""
        return opened(self._pieces())

    def checked(self) -> Self:
        """Return it; raise HttpError if its status is an error."""
        if not self.ok:
            raise HttpError(refusal(self.content, self.status))
        return self

    def close(self) -> None:
        """Give the stream back; one that still brings something is closed."""
        if self._content is None:
            self._raw.close()
        self._raw.release_conn()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _pieces(self) -> Iterator[bytes]:
        with _broken():
            yield from self._raw.stream(PIECE_BYTES)


class Session:
    """HTTP with one server of ``node``, and with no other; usable from any thread."""

    def __init__(self, pool: StreamPool) -> None:
        self.node = pool.node
        self._pool = pool

    def get(
        self,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        stream: bool = False,
        timeout_s: float | None = None,
    ) -> Answer:
        """Ask for something, as ``request`` does."""
        return self.request("GET", path, params=params, stream=stream, timeout_s=timeout_s)

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        stream: bool = False,
        timeout_s: float | None = None,
    ) -> Answer:
        """Send a request, and read its answer unless that is wanted as a ``stream``, which its user closes.

        ``timeout_s`` is how long each byte is waited for, that of the session without; ``path`` has no query of its
        own. Raises what ``StreamPool.urlopen`` and reading an ``Answer`` raise.
        """
        address = f"{path}?{urlencode(params)}" if params else path
        with _broken():
            raw = self._pool.urlopen(
                method,
                address,
                body=body,
                headers={**HEADERS, **(headers or {})},
                timeout=timeout_s or self._pool.timeout_s,
                retries=False,
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
        answer = Answer(raw, self.node)
        if not stream:
            _ = answer.content
        return answer

    def close(self) -> None:
        """Close the streams."""
        self._pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


def session(connect: Connect, node: str, **more: Any) -> Session:  # noqa: ANN401 - those of StreamPool
    """Return an HTTP session whose every connection is one that ``connect`` opens; TLS, if any, is connect's."""
    return Session(StreamPool(connect, node, **more))


@contextlib.contextmanager
def _broken() -> Iterator[None]:
    """Turn urllib3's errors into those that a socket raises."""
    try:
        yield
    except urllib3.exceptions.TimeoutError as error:
        raise TimeoutError(str(error)) from error
    except urllib3.exceptions.HTTPError as error:
        raise ConnectionError(str(error)) from error
