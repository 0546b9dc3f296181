"""A bad line to one port of a machine: slow, cut after some bytes, or silent."""

import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

CHUNK = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """How bad a line is; the figures are for each direction of each connection, 0 means no limit."""

    bytes_per_s: int = 0
    delay_s: float = 0.0
    cut_after: int = 0
    frozen: bool = False  # connections are taken, and nothing is ever passed on


class SlowLink:
    """A TCP proxy on this computer in front of a machine's port.

    Use it as a context manager: it listens on `address` and `port` from the entry to the exit, which closes all
    connections. `line` may be exchanged at any time, by any thread; `passed` counts the bytes of both directions.
    """

    def __init__(self, target: tuple[str, int], line: Line, address: str = "127.0.0.1") -> None:
        self.line = line
        self.passed = 0
        self._target = target
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
        self.cut()

    def cut(self) -> None:
        """Break all connections of this moment; new ones are taken."""
        with self._lock:
            ends, self._open = self._open, set()
        for end in ends:
            _close(end)

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self._open.add(near)
            if not self.line.frozen:
                self._connect(near)

    def _connect(self, near: socket.socket) -> None:
        try:
            far = socket.create_connection(self._target, timeout=10)
        except OSError:
            return _close(near)
        far.settimeout(None)
        with self._lock:
            self._open.add(far)
        for source, sink in ((near, far), (far, near)):
            threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        sent = 0
        with suppress(OSError):
            while data := source.recv(CHUNK):
                line = self.line
                if line.cut_after and sent + len(data) > line.cut_after:
                    sink.sendall(data[: line.cut_after - sent])
                    break
                time.sleep(line.delay_s + (len(data) / line.bytes_per_s if line.bytes_per_s else 0.0))
                sink.sendall(data)
                sent += len(data)
                with self._lock:
                    self.passed += len(data)
        _close(source)
        _close(sink)


def _close(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
