"""Run rkx, count its requests to each node's Engine, and list what it imported: counted.py FILE.json RKX-ARGUMENTS...

The machines' own logs cannot tell: cri-dockerd asks the same Engines all the time.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
from collections import Counter
from pathlib import Path

import rkx
from rkx.cli.main import main
from rkx_transport_ssh import SshTransport

REQUEST = b" HTTP/1.1\r\n"  # ends the first line of a request; a run with nothing to do uploads nothing
PIECE_BYTES = 1 << 16

counts: Counter[str] = Counter()
guard = threading.Lock()


class Counting:
    """Pass bytes on to an Engine, and count the requests among them."""

    def __init__(self, node: str, far: socket.socket) -> None:
        self._node, self._far, self._end = node, far, b""

    def send_bytes(self, piece: bytes) -> None:
        """Send, and count."""
        seen = self._end + piece
        with guard:
            counts[self._node] += seen.count(REQUEST)
        self._end = seen[-len(REQUEST) + 1 :]
        self._far.sendall(piece)

    def receive(self) -> bytes:
        """Receive."""
        return self._far.recv(PIECE_BYTES)

    def end_sending(self) -> None:
        """Close the sending half."""
        self._far.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Close both halves."""
        self._far.close()


def watch() -> None:
    """Put the counter into every connection to an Engine."""
    opens = SshTransport.rkx_open_transport

    def counting(self: SshTransport, node: rkx.Node, prompt: rkx.transport.Prompt | None) -> rkx.transport.Transport:
        transport = opens(self, node, prompt)
        plain = transport.engine
        counts[node.name] += 0
        transport.engine = lambda: rkx.transport.bridge(Counting(node.name, plain()))  # type: ignore[method-assign] # to watch it
        return transport

    SshTransport.rkx_open_transport = rkx.hookimpl(counting)  # type: ignore[method-assign] # to watch it


def libraries() -> list[str]:
    """List the modules of others that are imported by now, in their order."""
    places = {name: vars(module).get("__file__") or "" for name, module in sys.modules.copy().items()}
    return [name for name, file in places.items() if "/site-packages/" in file]


if __name__ == "__main__":
    target = Path(sys.argv.pop(1))
    watch()
    try:
        main()
    finally:
        target.write_text(json.dumps({"requests": counts, "libraries": libraries()}))
