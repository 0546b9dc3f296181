"""A registry that says what it likes, at an address that each machine takes for its own."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from harness import Cluster, until
from pretender import Answer, Pretender, http, tunnel

from rkx_lab.errors import LabError

PORT = 5055
ADDRESS = f"127.0.0.1:{PORT}"
"""Docker speaks plain HTTP to a loopback address, after it has tried TLS."""
TLS = b"\x16"


class Registry(Pretender):
    """Answers HTTP, and hangs up on who tries TLS first."""

    def serve(self, stream: socket.socket) -> None:
        """Answer one request."""
        if stream.recv(1, socket.MSG_PEEK) != TLS:
            super().serve(stream)


@contextmanager
def on_each_machine(cluster: Cluster, answer: Answer) -> Iterator[Registry]:
    """Have it answer on every machine's own loopback."""
    with Registry(answer) as registry, ExitStack() as tunnels:
        for machine in cluster.machines:
            way = f"{ADDRESS}:{registry.address}:{registry.port}"
            child = subprocess.Popen(tunnel(cluster.lab, machine.name, way), stdin=subprocess.DEVNULL)
            tunnels.callback(child.wait, timeout=20)
            tunnels.callback(child.terminate)
        until(lambda: all(_listens(cluster, machine.name) for machine in cluster.machines), "it listens", 20)
        yield registry


def _listens(cluster: Cluster, machine: str) -> bool:
    with suppress(LabError):  # the Engine lost what the command printed: it is asked again
        return cluster.on(machine, "sh", "-c", f"ss -ltn | grep {ADDRESS} || true") != ""
    return False


def refuses(words: str) -> Answer:
    """Refuse whatever is asked for, with words of its own."""
    body = json.dumps({"errors": [{"code": "DENIED", "message": words, "detail": words}]}).encode()
    said = http(body, "Content-Type: application/json", status="403 Forbidden")
    return lambda stream, _path: stream.sendall(said)


def gives(content: bytes, kind: str) -> Answer:
    """Return one thing as every manifest."""
    said = http(content, f"Content-Type: {kind}")
    return lambda stream, path: stream.sendall(said if "/manifests/" in path else http(b"{}"))
