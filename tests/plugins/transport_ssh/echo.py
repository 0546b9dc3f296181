"""What a node's streams reach: a server that sends back what it gets."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from pathlib import Path

PIECE_BYTES = 1 << 16


class Echo:
    """A server that sends back what it gets, and ``END`` when the other side has no more; on a unix socket or TCP."""

    def __init__(self, path: Path | None) -> None:
        if path:
            self._listener = socket.socket(socket.AF_UNIX)
            self._listener.bind(os.fspath(path))
            self._listener.listen(128)
        else:
            self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def close(self) -> None:
        with contextlib.suppress(OSError, EOFError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError, EOFError):
            while True:
                sock, _ = self._listener.accept()
                threading.Thread(target=_echo, args=(sock,), daemon=True).start()


def _echo(sock: socket.socket) -> None:
    with contextlib.suppress(OSError, EOFError), sock:
        while piece := sock.recv(PIECE_BYTES):
            sock.sendall(piece)
        sock.sendall(b"END")
