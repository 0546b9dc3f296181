"""An SSH transport that writes down what rkx sends to each node's Docker Engine."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

import rkx
from rkx_transport_ssh import SshConfig, SshTransport

PIECE_BYTES = 1 << 16
NAMED = re.compile(r"^(?:/v[\d.]+)?/(containers|images|exec)/(?!create$|json$|prune$|load$)(.+?)(/[a-z]+)?$")


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One request; ``body`` is all that followed where the stream was taken over, as by attach."""

    node: str
    method: str
    target: str
    body: bytes

    @property
    def shape(self) -> str:
        """Return method and path without version, name and query."""
        path = urlsplit(self.target).path
        named = NAMED.sub(lambda found: f"/{found[1]}/NAME{found[3] or ''}", path)
        return f"{self.method} {re.sub(r'^/v[0-9.]+', '', named)}"

    def json(self) -> dict[str, Any]:
        """Read the body as JSON."""
        found: dict[str, Any] = json.loads(self.body)
        return found


class Tap(SshTransport):
    """The SSH transport with an ear on every stream to an Engine; one instance serves all nodes."""

    def __init__(self, config: SshConfig) -> None:
        super().__init__(config)
        self._streams: list[tuple[str, bytearray]] = []

    @rkx.hookimpl
    def rkx_open_transport(self, node: rkx.Node, prompt: rkx.transport.Prompt | None) -> rkx.transport.Transport:
        """Connect as SSH does."""
        return _Tapped(super().rkx_open_transport(node, prompt), node.name, self._streams)

    def taken(self) -> list[Request]:
        """Return the requests since the last call."""
        streams, self._streams[:] = list(self._streams), []
        return [request for node, sent in streams for request in requests_in(node, bytes(sent))]


class _Tapped:
    """One node's transport; ``dial`` goes elsewhere than to the Engine, so nobody listens there."""

    def __init__(self, inner: rkx.transport.Transport, node: str, streams: list[tuple[str, bytearray]]) -> None:
        self._inner, self._node, self._streams = inner, node, streams

    def engine(self) -> socket.socket:
        sent = bytearray()
        self._streams.append((self._node, sent))
        return rkx.transport.bridge(_Ear(self._inner.engine(), sent))

    def dial(self, address: str, *, timeout_s: float) -> socket.socket:
        assert isinstance(self._inner, rkx.transport.Dials)
        return self._inner.dial(address, timeout_s=timeout_s)

    def close(self) -> None:
        self._inner.close()


class _Ear(rkx.transport.Channel):
    """A stream that keeps a copy of what is sent."""

    def __init__(self, stream: socket.socket, sent: bytearray) -> None:
        self._stream, self._sent = stream, sent

    def send_bytes(self, piece: bytes) -> None:
        self._sent += piece
        self._stream.sendall(piece)

    def receive(self) -> bytes:
        return self._stream.recv(PIECE_BYTES)

    def end_sending(self) -> None:
        self._stream.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self._stream.close()


def requests_in(node: str, sent: bytes) -> Iterator[Request]:
    """Tell apart the requests that went over one connection; a last one that was cut short counts too."""
    while sent:
        head, _, sent = sent.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        method, target, _ = first.split(" ")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body, sent = _body(headers, sent)
        yield Request(node=node, method=method, target=target, body=body)


def _body(headers: Mapping[str, str], rest: bytes) -> tuple[bytes, bytes]:
    if "upgrade" in headers:
        return rest, b""
    if headers.get("transfer-encoding") == "chunked":
        return _chunks(rest)
    length = int(headers.get("content-length", "0"))
    return rest[:length], rest[length:]


def _chunks(rest: bytes) -> tuple[bytes, bytes]:
    pieces = []
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size, 16)
        pieces.append(rest[:length])
        rest = rest[length + len(b"\r\n") :]
        if not length:
            break
    return b"".join(pieces), rest
