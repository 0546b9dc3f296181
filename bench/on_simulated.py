"""Run rkx on a simulated cluster, as the process that is measured: on_simulated.py plan|up FOLDER."""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path
from unittest.mock import patch

from simulated import DOOR
from tests.core.reconcile.small import TinyNetwork, TinyService

import rkx
from rkx import api
from rkx.events import ActionFinished
from rkx.testing.world import NoOptions

PROGRAM = b"rkx-node"
"""What takes rkx-node's place: a thousand machines in memory cannot keep the real one, of some megabytes, each."""

PATIENCE_S = 120.0
"""For the server to become healthy, while thousands of nodes have their turn as well."""


class Way:
    """A way to one simulated machine."""

    def __init__(self, door: str, node: str) -> None:
        self._door, self._node = door, node

    def engine(self) -> socket.socket:
        """Connect to the Engine."""
        return self._stream("")

    def dial(self, address: str, *, timeout_s: float) -> socket.socket:
        """Connect to what listens there; at once or not at all."""
        return self._stream(address)

    def close(self) -> None:
        """Leave it."""

    def _stream(self, address: str) -> socket.socket:
        with socket.socket(socket.AF_UNIX) as asking:
            asking.connect(self._door)
            asking.sendall(json.dumps([self._node, address]).encode() + b"\n")
            said, streams, *_ = socket.recv_fds(asking, 1000, 1)
        if not streams:
            raise rkx.errors.StreamRefused(said.decode(), node=self._node)
        return socket.socket(fileno=streams[0])


class SimulatedTransport(rkx.TransportPlugin[NoOptions]):
    """The transport to the machines behind a door."""

    name = "fake"
    Config = NoOptions

    def __init__(self, door: Path) -> None:
        super().__init__(NoOptions())
        self._door = str(door)

    @rkx.hookimpl
    def rkx_open_transport(self, node: rkx.Node, prompt: rkx.transport.Prompt | None) -> rkx.transport.Transport:
        """Reach a machine."""
        return Way(self._door, node.name)


def plan(project: api.Project) -> int:
    """Plan; returns how many actions."""
    return len(api.plan(project).actions)


def up(project: api.Project) -> int:
    """Bring the cluster up; returns how many actions that took."""
    run = api.up(project)
    actions = sum(isinstance(event, ActionFinished) for event in run)
    run.wait()
    return actions


COMMANDS = {"plan": plan, "up": up}


def main(command: str, folder: Path) -> None:
    """Run one command and say how many actions it had."""
    with patch("rkx.reconcile.node_image.program", lambda architecture: PROGRAM):
        service = TinyService()
        service.patience_s = PATIENCE_S
        plugins = (SimulatedTransport(folder / DOOR), service, TinyNetwork())
        project = api.load(folder / "cluster.yml", plugins=plugins)
        sys.stdout.write(f"{COMMANDS[command](project)}\n")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
