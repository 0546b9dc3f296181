"""HTTP on one end of a socket pair: each connection has a thread that answers through a function."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Mapping
from http.server import BaseHTTPRequestHandler
from typing import Any, BinaryIO
from urllib.parse import parse_qsl, urlsplit

import msgspec
from msgspec.structs import replace


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One request as it came in; ``to`` is the node, and the port if it is not the Engine's.

    ``user`` and ``groups`` are what the client's certificate says, where the server asks for one.
    """

    to: str
    method: str
    path: str
    query: Mapping[str, str] = msgspec.field(default_factory=dict)
    body: bytes = b""
    user: str = ""
    groups: tuple[str, ...] = ()

    @property
    def json(self) -> Any:  # noqa: ANN401 - JSON
        """Read the body; an empty mapping where there is none."""
        return json.loads(self.body) if self.body else {}


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """What to answer; ``pieces`` are sent in chunks, ``upgrade`` gets the stream after a 101."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    pieces: Iterable[bytes] | None = None
    upgrade: Callable[[BinaryIO, BinaryIO], None] | None = None


Application = Callable[[Request], Response]


class HangUp(Exception):
    """Close the connection without an answer."""


def as_json(value: object, status: int = 200) -> Response:
    """Answer with a value."""
    return Response(status=status, body=json.dumps(value).encode(), headers={"Content-Type": "application/json"})


def error(status: int, message: str) -> Response:
    """Answer as the Docker Engine and the API server do when they refuse."""
    return as_json({"message": message}, status)


def serve(to: str, application: Application, tls: ssl.SSLContext | None = None) -> socket.socket:
    """Return the client's end of a new connection to ``application``."""
    ours, theirs = socket.socketpair()
    threading.Thread(target=_talk, args=(to, application, tls, theirs), daemon=True, name=f"fake {to}").start()
    return ours


def _talk(to: str, application: Application, tls: ssl.SSLContext | None, plain: socket.socket) -> None:
    with contextlib.suppress(OSError, HangUp), plain:
        if tls is None:
            _Handler(to, application, plain)
            return
        with tls.wrap_socket(plain, server_side=True) as wrapped:
            _Handler(to, application, wrapped, *_shown(wrapped))


def _shown(stream: ssl.SSLSocket) -> tuple[str, tuple[str, ...]]:
    """Read user and groups from a client's certificate, as Kubernetes does: common name and organizations."""
    subject = (stream.getpeercert() or {}).get("subject", ())
    said = [(pair[0], str(pair[1])) for part in subject for pair in part]
    groups = tuple(value for name, value in said if name == "organizationName")
    return dict(said).get("commonName", ""), groups


class _Handler(BaseHTTPRequestHandler):
    """One connection, from its first request to its end."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def __init__(
        self,
        to: str,
        application: Application,
        connection: socket.socket,
        user: str = "",
        groups: tuple[str, ...] = (),
    ) -> None:
        self._to, self._application = to, application
        self._user, self._groups = user, groups
        super().__init__(connection, (to, 0), None)  # type: ignore[arg-type] # no server is behind it

    def _take(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        said = Request(to=self._to, method=self.command, path=parts.path, query=query, body=body)
        self._give(self._application(replace(said, user=self._user, groups=self._groups)))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _take

    def _give(self, response: Response) -> None:
        self.send_response(101 if response.upgrade else response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        if response.upgrade:
            self._upgrade(response.upgrade)
        elif response.pieces is not None:
            self._stream(response.pieces)
        else:
            self.send_header("Content-Length", str(len(response.body)))
            self.end_headers()
            self.wfile.write(response.body)

    def _upgrade(self, upgrade: Callable[[BinaryIO, BinaryIO], None]) -> None:
        self.send_header("Connection", "Upgrade")
        self.send_header("Upgrade", "tcp")
        self.end_headers()
        self.wfile.flush()
        upgrade(self.rfile, self.wfile)  # type: ignore[arg-type] # typeshed has them wider
        self.close_connection = True

    def _stream(self, pieces: Iterable[bytes]) -> None:
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.flush()
        for piece in pieces:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: requests are recorded by the world."""
