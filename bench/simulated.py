"""The machines of a simulated cluster, in a process of their own: simulated.py FOLDER NODES.

So their processor time and memory are not rkx's. Writes cluster.yml, says "ready", and serves until it is ended.
"""

from __future__ import annotations

import ipaddress
import json
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingUnixStreamServer

from tests.core.reconcile.small import servers

import rkx
from rkx.testing import FakeWorld

DOOR = "machines.sock"
FIRST = ipaddress.IPv4Address("198.18.0.1")  # the range for benchmarks (RFC 2544)
CLUSTER = """transport: fake
network: {plugin: flannel}
dns: {provider: none}
monitoring: {provider: none}
ingress: {provider: none}
services: {kube-controller: {cluster_cidr: 10.0.0.0/11}}
nodes:
"""
COUNTS = ("desiredNumberScheduled", "updatedNumberScheduled", "numberAvailable")


def cluster_yml(names: Sequence[str]) -> str:
    """Return a cluster.yml whose first node is control plane and etcd, and whose pod range has room for 8192 nodes."""
    roles = ["controlplane, etcd", *["worker"] * len(names)]
    rows = [
        f"- {{address: {FIRST + number}, hostname_override: {name}, role: [{role}]}}"
        for number, (name, role) in enumerate(zip(names, roles, strict=False))
    ]
    return CLUSTER + "\n".join(rows) + "\n"


class Door(ThreadingUnixStreamServer):
    """Hands out streams into the world: each request names a node, and an address there or none for its Engine."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, path: Path, world: FakeWorld) -> None:
        self.world = world
        super().__init__(str(path), _Visitor)


class _Visitor(StreamRequestHandler):
    server: Door

    def handle(self) -> None:
        node, address = json.loads(self.rfile.readline())
        world = self.server.world
        try:
            stream = world.dial(node, address) if address else world.engine(node)
        except rkx.errors.TransportError as error:
            self.request.sendall(error.message.encode())
            return
        with stream:
            socket.send_fds(self.request, [b"here"], [stream.fileno()])


def main(folder: Path, nodes: int) -> None:
    """Serve the machines of one cluster."""
    names = [f"node-{number}" for number in range(1, nodes + 1)]
    world = FakeWorld(names, agent="agent")
    world.servers = servers(world)
    world.kube.statuses["DaemonSet"] = dict.fromkeys(COUNTS, nodes)
    (folder / "cluster.yml").write_text(cluster_yml(names))
    with Door(folder / DOOR, world) as door:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        door.serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
