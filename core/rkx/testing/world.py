"""Several nodes and an API server, one count over all that is changed, and a cut at any of these changes."""

from __future__ import annotations

import copy
import os
import socket
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Literal

import msgspec

import rkx
from rkx.testing.container import Box
from rkx.testing.docker import FakeEngine
from rkx.testing.kube import Body, FakeKube
from rkx.testing.machine import Entry, Machine
from rkx.testing.wire import Application, HangUp, Request, Response, serve


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """What listens on ``address`` while ``container`` runs; with ``certificate`` and ``key``, paths there, it has TLS.

    With ``authority``, a path too, it looks at certificates of clients, and requests say whose they are.
    ``address`` is such as ``tcp:127.0.0.1:6443``, as seen from any node that has the container.
    """

    address: str
    container: str
    application: Application
    certificate: str = ""
    key: str = ""
    authority: str = ""


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """All of a world by node, and the API server's objects with the number of their last change and who registered."""

    files: dict[str, dict[str, Entry]]
    programs: dict[str, bytes]
    boxes: dict[str, dict[str, Box]]
    images: dict[str, dict[str, str]]
    objects: dict[str, Body]
    revision: int
    registered: set[str]


class NoOptions(msgspec.Struct, frozen=True, kw_only=True):
    """A transport without options."""


class FakeWorld:
    """Nodes by name, and ``servers`` that listen on each node that runs their container.

    ``cut`` is the number of the change at which the program dies, and whether before or after it; from then on
    ``died`` is set without any notice, until ``revive``. Nodes in ``silent`` do not answer at all.
    ``watcher`` is called after each change, while nothing else changes.
    """

    def __init__(self, names: Iterable[str], agent: str = "") -> None:
        self.requests: list[Request] = []
        self.effects: list[str] = []
        self.cut: tuple[int, Literal["before", "after"]] | None = None
        self.silent: set[str] = set()
        self.died = threading.Event()
        self.watcher: Callable[[], None] = lambda: None
        self._lock = threading.RLock()
        self._streams: list[socket.socket] = []
        self.machines = {name: Machine(name, self.effect) for name in names}
        self.engines = {name: FakeEngine(machine, self.effect) for name, machine in self.machines.items()}
        self.kube = FakeKube(self.effect, lambda: self._starts(agent))
        self.servers: list[Server] = []

    def _starts(self, agent: str) -> dict[str, str]:
        running = {name: engine.boxes[agent] for name, engine in self.engines.items() if engine.running(agent)}
        return {name: f"{box.id} {box.runs}" for name, box in running.items()}

    def effect(self, what: str, act: Callable[[], None]) -> None:
        """Do one thing that outlives the program; raises HangUp where the program is to die."""
        with self._lock:
            if self.died.is_set():
                raise HangUp(what)
            self.effects.append(what)
            number = len(self.effects)
            if self.cut != (number, "before"):
                act()
            if self.cut is not None and self.cut[0] == number:
                self.died.set()
                raise HangUp(what)
            self.watcher()

    def snapshot(self) -> Snapshot:
        """Copy all that outlives a program: what a cut at this moment would leave."""
        with self._lock:
            return copy.deepcopy(
                Snapshot(
                    files={name: machine.files for name, machine in self.machines.items()},
                    programs={name: machine.program for name, machine in self.machines.items()},
                    boxes={name: engine.boxes for name, engine in self.engines.items()},
                    images={name: engine.images for name, engine in self.engines.items()},
                    objects=self.kube.objects,
                    revision=self.kube.revision,
                    registered=self.kube.registered,
                )
            )

    def restore(self, snapshot: Snapshot) -> None:
        """Become what was copied."""
        whole = copy.deepcopy(snapshot)
        for name, machine in self.machines.items():
            machine.files, machine.program = whole.files[name], whole.programs[name]
        for name, engine in self.engines.items():
            engine.boxes, engine.images = whole.boxes[name], whole.images[name]
        self.kube.objects, self.kube.revision = whole.objects, whole.revision
        self.kube.registered = whole.registered

    def close(self) -> None:
        """Close what the program left open, as the end of its process does."""
        while self._streams:
            self._streams.pop().close()

    def revive(self) -> None:
        """Start over: nothing is cut, and the counts of changes and requests start over."""
        self.close()
        self.cut = None
        self.died.clear()
        self.effects.clear()
        self.requests.clear()

    def changes(self) -> list[Request]:
        """List the requests that were no GET."""
        return [request for request in self.requests if request.method not in ("GET", "HEAD")]

    def engine(self, node: str) -> socket.socket:
        """Connect to a node's Engine."""
        self._reach(node)
        return self._kept(serve(node, self._recorded(self.engines[node].answer)))

    def dial(self, node: str, address: str) -> socket.socket:
        """Connect to what listens on a node."""
        self._reach(node)
        running = (each for each in self.servers if self.engines[node].running(each.container))
        server = next((each for each in running if each.address == address), None)
        if server is None:
            raise rkx.errors.StreamRefused(f"{node}: nothing listens on {address}", node=node)
        tls = self._tls(node, server) if server.certificate else None
        return self._kept(serve(f"{node} {address}", self._recorded(server.application), tls))

    def _kept(self, stream: socket.socket) -> socket.socket:
        self._streams.append(stream)
        return stream

    def _reach(self, node: str) -> None:
        if self.died.is_set() or node in self.silent:
            raise rkx.errors.ConnectFailed(f"{node}: does not answer", node=node)

    def _recorded(self, application: Application) -> Application:
        def answer(request: Request) -> Response:
            if self.died.is_set():
                raise HangUp(request.path)
            self.requests.append(request)
            return application(request)

        return answer

    def _tls(self, node: str, server: Server) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        files = self.machines[node].files
        with tempfile.NamedTemporaryFile() as pair:
            pair.write((files[server.certificate].content or b"") + (files[server.key].content or b""))
            pair.flush()
            context.load_cert_chain(os.fspath(pair.name))
        if server.authority:
            context.verify_mode = ssl.CERT_OPTIONAL
            context.load_verify_locations(cadata=(files[server.authority].content or b"").decode())
        return context


class Way:
    """One open way to one node."""

    def __init__(self, world: FakeWorld, node: str) -> None:
        self._world, self._node = world, node

    def engine(self) -> socket.socket:
        """Connect to the Engine."""
        return self._world.engine(self._node)

    def dial(self, address: str, *, timeout_s: float) -> socket.socket:
        """Connect to what listens there; at once or not at all."""
        return self._world.dial(self._node, address)

    def close(self) -> None:
        """Leave the world as it is: its streams are closed by their owners."""


class FakeTransport(rkx.TransportPlugin[NoOptions]):
    """The transport into a world, given to ``rkx.load`` as an instance; cluster.yml says ``transport: fake``."""

    name = "fake"
    Config = NoOptions

    def __init__(self, world: FakeWorld) -> None:
        super().__init__(NoOptions())
        self.world = world

    @rkx.hookimpl
    def rkx_open_transport(self, node: rkx.Node, prompt: rkx.transport.Prompt | None) -> rkx.transport.Transport:
        """Reach a node, if it is not silent."""
        self.world._reach(node.name)
        return Way(self.world, node.name)


def answers(responses: Mapping[str, Response]) -> Application:
    """Answer each path with its response, and every other with 200."""
    return lambda request: responses.get(request.path, Response(body=b"ok"))
