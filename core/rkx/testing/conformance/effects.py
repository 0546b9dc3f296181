"""Notice what a hook does to the world, by the interpreter's own audit events (PEP 578)."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

ACTS = (
    "socket.__new__",
    "socket.getaddrinfo",
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "os.putenv",
    "os.unsetenv",
    "os.remove",
    "os.rename",
    "os.mkdir",
    "os.rmdir",
    "os.link",
    "os.symlink",
    "os.truncate",
    "os.chmod",
    "os.chown",
    "os.utime",
)
CODE = (".py", ".pyc", ".so", ".pyd")
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class _Ear:
    """The one hook of this process, since Python takes none away: it records only while a test listens."""

    def __init__(self) -> None:
        self.heard: list[str] | None = None
        self.own: tuple[str, ...] = ()
        sys.addaudithook(self.hear)

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.heard is None or (event != "open" and event not in ACTS):
            return
        first = str(arguments[0]) if arguments else ""
        if "__pycache__" not in first and not (event == "open" and self.is_code(first, arguments[-1])):
            self.heard.append(f"{event} {first}")

    def is_code(self, path: str, flags: object) -> bool:
        """Return whether a file is only read, and belongs to Python, to a library or to the plugin."""
        writes = isinstance(flags, int) and flags & WRITES
        return not writes and (path.startswith(self.own) or path.endswith(CODE))


@cache
def _ear() -> _Ear:
    return _Ear()


@contextmanager
def noticed(module: ModuleType | None) -> Iterator[list[str]]:
    """Return a list that fills with what is done meanwhile; the plugin's own package, by ``module``, may be read."""
    ear, heard = _ear(), list[str]()
    ear.own = _roots(module)
    ear.heard = heard
    try:
        yield heard
    finally:
        ear.heard = None


def _roots(module: ModuleType | None) -> tuple[str, ...]:
    places = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    package = sys.modules.get(module.__name__.partition(".")[0]) if module else None
    if package is not None and package.__file__:
        places.add(str(Path(package.__file__).parent))
    return tuple(places)
