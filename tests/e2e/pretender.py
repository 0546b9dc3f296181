"""What whoever is root of a machine may put in place of its Docker Engine; and who must never hear of it."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from harness import Cluster, until
from running import ready

from rkx_lab import faults
from rkx_lab.state import Lab

SOCKET = "/var/run/docker.sock"
PING = "/_ping"
REQUEST_BYTES = 1 << 16
Answer = Callable[[socket.socket, str], None]
"""Answers one request, of which it is told the path; the stream is closed after it."""


class Server:
    """Takes TCP connections at an address, each on a thread of its own, and counts them."""

    def __init__(self, address: str) -> None:
        self.taken = 0
        self._listener = socket.create_server((address, 0))
        self.address, self.port = self._listener.getsockname()[:2]
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._listener.close()
        with self._lock:
            for stream in self._open:
                with suppress(OSError):
                    stream.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                stream, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.taken += 1
                self._open.add(stream)
            threading.Thread(target=self._serve, args=(stream,), daemon=True).start()

    def _serve(self, stream: socket.socket) -> None:
        with suppress(OSError), stream:
            self.serve(stream)
        with self._lock:
            self._open.discard(stream)

    def serve(self, stream: socket.socket) -> None:
        """Do nothing with a connection: who only counts them has seen enough."""


class Pretender(Server):
    """A server that says to Docker's clients what ``answer`` has it say; exchange it at any time."""

    def __init__(self, answer: Answer) -> None:
        super().__init__("127.0.0.1")
        self.answer = answer

    def serve(self, stream: socket.socket) -> None:
        """Answer one request."""
        asked = b""
        while b"\r\n\r\n" not in asked and len(asked) < REQUEST_BYTES:
            if not (piece := stream.recv(REQUEST_BYTES)):
                return
            asked += piece
        self.answer(stream, asked.split(b" ", 2)[1].decode(errors="replace"))


@contextmanager
def in_place_of_engine(cluster: Cluster, machine: str, server: Server) -> Iterator[None]:
    """Stop a machine's Docker and lead its socket to a server of this computer, as root of the machine may."""
    lab = cluster.lab
    faults.stop_dockerd(lab, machine)
    try:
        cluster.on(machine, "rm", "-f", SOCKET)
        way = f"{SOCKET}:{server.address}:{server.port}"
        child = subprocess.Popen(tunnel(lab, machine, way), stdin=subprocess.DEVNULL)
        try:
            there = ("sh", "-c", f"test -S {SOCKET} && echo there || true")
            until(lambda: cluster.on(machine, *there) != "", f"{SOCKET} is there", 20)
            yield
        finally:
            child.terminate()
            child.wait(timeout=20)
    finally:
        cluster.on(machine, "rm", "-f", SOCKET)
        started = datetime.now(UTC)
        faults.start_dockerd(lab, machine)
        # A kubelet that starts before cri-dockerd listens ends, and Docker starts it again.
        until(lambda: ready(cluster, [machine], started), f"the kubelet of {machine} is well again")


def tunnel(lab: Lab, machine: str, way: str) -> list[str]:
    """Return the command that leads an address of a machine to one of this computer, as ssh's -R has it."""
    options = {
        "BatchMode": "yes",
        "ExitOnForwardFailure": "yes",
        "IdentitiesOnly": "yes",
        "UserKnownHostsFile": str(lab.known_hosts),
        "LogLevel": "ERROR",
    }
    said = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    return ["ssh", "-F", "none", "-N", *said, "-i", str(lab.key), "-R", way, f"root@{lab.machine(machine).address}"]


def http(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """Return an answer whole."""
    lines = (f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "Connection: close", "", "")
    return "\r\n".join(lines).encode() + body


PONG = http(b"OK", "Api-Version: 1.41")


def whole(first: bytes, then: bytes) -> Answer:
    """Answer the first question, for the version, with one thing, and all others with another."""
    return lambda stream, path: stream.sendall(first if path == PING else then)


def of_paths(values: dict[str, object]) -> Answer:
    """Answer in JSON by the end of the path; what is not known is not found."""

    def answer(stream: socket.socket, path: str) -> None:
        if path == PING:
            return stream.sendall(PONG)
        name = path.partition("?")[0]
        found = next((value for end, value in values.items() if name.endswith(end)), None)
        text = b"{}" if found is None else json.dumps(found).encode()
        return stream.sendall(http(text, status="404 Not Found" if found is None else "200 OK"))

    return answer


def endless(piece: bytes, begin: bytes = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n") -> Answer:
    """Answer for the version, and then with a body that never ends."""

    def answer(stream: socket.socket, path: str) -> None:
        stream.sendall(PONG if path == PING else begin)
        while path != PING:
            stream.sendall(piece)

    return answer


def slow(pause_s: float, *, first: bool) -> Answer:
    """Answer a byte at a time: the first question already, or only those that follow it."""

    def answer(stream: socket.socket, path: str) -> None:
        if path == PING and not first:
            return stream.sendall(PONG)
        stream.sendall(b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 100000\r\n\r\n")
        stream.settimeout(pause_s)
        while True:
            with suppress(TimeoutError):
                if not stream.recv(1):
                    return None  # the other side has given up
            stream.sendall(b" ")

    return answer


def silent(stream: socket.socket, _path: str) -> None:
    """Take a request and never answer."""
    stream.recv(1)
