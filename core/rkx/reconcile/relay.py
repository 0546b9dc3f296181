"""Reach an address from a node without forwarding: rkx-node copies bytes, in one container per stream."""

from __future__ import annotations

import contextlib
import secrets
import socket
import threading
from http import HTTPStatus
from typing import Any

from rkx.errors import PartlyDone, RkxError, StreamRefused, TransportError
from rkx.reconcile.answers import Said
from rkx.reconcile.bounds import ATTACHED, ENGINE, Limit
from rkx.reconcile.create_body import create_body
from rkx.reconcile.engine import Engine, EngineRefused
from rkx.reconcile.frames import frames
from rkx.reconcile.layout import NAMES
from rkx.reconcile.link import Link
from rkx.reconcile.node import RELAY_LABEL
from rkx.transport import Channel, bridge

END_TIMEOUT_S = 10


class Relays:
    """The streams of one link that go through rkx-node, each with a container of its own."""

    def __init__(self) -> None:
        self._names: list[str] = []

    def open(self, link: Link, address: str) -> socket.socket:
        """Open a stream to ``address`` by a container of rkx-node's image on the node's network.

        Raises StreamRefused whatever went wrong: to those who ask the address, it does not answer.
        """
        name = f"rkx-relay-{secrets.token_hex(4)}"
        self._names.append(name)
        try:
            return _through(link, name, address)
        except StreamRefused:
            raise
        except (PartlyDone, TransportError) as error:
            raise StreamRefused(f"{link.name}: {address}: {error.message}", node=link.name, hint=error.hint) from error

    def end(self, link: Link) -> None:
        """End what is left of them, and see each container gone: the Engine deletes them after their end.

        All of it takes ``END_TIMEOUT_S`` at most, and each name counts once, however often the Engine shows it.
        """
        if not self._names:
            return
        ours = {f"/{name}" for name in self._names}
        limit = Limit(size=ENGINE.size, seconds=END_TIMEOUT_S)
        with contextlib.suppress(RkxError), link.docker(timeout_s=END_TIMEOUT_S, limit=limit) as engine:
            for row in engine.listed(label=RELAY_LABEL):
                if shown := ours.intersection(row.texts("Names")):
                    ours -= shown
                    _see_gone(engine, row.text("Id"))
        self._names.clear()


def _see_gone(engine: Engine, container: str) -> None:
    with contextlib.suppress(EngineRefused):  # it is going already
        engine.remove(container)
    with contextlib.suppress(EngineRefused, OSError):
        engine.wait(container, END_TIMEOUT_S, "removed")


def _through(link: Link, name: str, address: str) -> socket.socket:
    _create(link, name, address)
    try:
        with contextlib.ExitStack() as stack:
            stream = stack.enter_context(link.docker(timeout_s=ATTACHED.seconds, limit=ATTACHED)).attach(name)
            with link.docker() as engine:
                engine.start(name)
            return bridge(_Relay(stream, stack.pop_all()))
    except BaseException:
        with contextlib.suppress(RkxError), link.docker() as engine:  # only one that ran goes away alone
            engine.remove(name)
        raise


def _create(link: Link, name: str, address: str) -> None:
    with link.docker() as engine:
        try:
            engine.create(_body(engine.inspect(NAMES["host"]), address), name)
        except EngineRefused as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            raise StreamRefused(
                f"{link.name}: {address} cannot be reached before the node is prepared", node=link.name
            ) from error


def _body(found: Said, address: str) -> dict[str, Any]:
    cluster = found.table("Config").table("Labels").text("rkx.cluster")
    return create_body(
        found.text("Image"),
        ("/rkx-node", "relay", address),
        {"rkx.cluster": cluster, RELAY_LABEL: "1"},
        network="host",
        binds=["/run:/run"] if address.startswith("unix:") else [],
        attached=True,
        AutoRemove=True,
        LogConfig={"Type": "none"},
    )


class _Relay(Channel):
    """The attached stream of a relay's container."""

    def __init__(self, stream: Any, kept: contextlib.ExitStack) -> None:  # noqa: ANN401 - docker-py's own wrapper
        self._stream, self._kept = stream, kept
        self._socket: socket.socket = stream._sock
        stream.lift()
        self._frames = frames(stream)
        self._closing = threading.Lock()

    def send_bytes(self, piece: bytes) -> None:
        self._socket.sendall(piece)

    def receive(self) -> bytes:
        for kind, piece in self._frames:
            if kind == 1 and piece:
                return bytes(piece)
        return b""

    def end_sending(self) -> None:
        self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        with self._closing:
            with contextlib.suppress(OSError):  # it is closed already
                self._socket.shutdown(socket.SHUT_RDWR)  # closing alone wakes no thread that waits for it
            self._stream.close()
            self._socket.close()
            self._kept.close()
