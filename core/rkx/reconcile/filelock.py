"""One run at a time on one computer: a lock on a file beside the state."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from pathlib import Path

from rkx.errors import Locked, PartlyDone, Refused


class FileLock:
    """The lock beside the state: two runs on one computer. Its file is there while it is held."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle = -1

    def take(self) -> None:
        """Take it, or raise Locked naming the process that has it; Refused if a link lies in its place."""
        while self._handle < 0:
            handle = self._open()
            try:
                self._lock(handle)
                if self._is_in_place(handle):
                    os.truncate(handle, 0)
                    os.write(handle, f"process {os.getpid()}\n".encode())
                    self._handle, handle = handle, -1
            finally:
                if handle >= 0:
                    os.close(handle)

    def _open(self) -> int:
        try:
            return os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise self._linked() from error
            raise PartlyDone(
                f"{self._path}: {error.strerror}", hint="make the folder writable: the state lies there"
            ) from error

    def _lock(self, handle: int) -> None:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(handle, 100, 0).decode(errors="replace").strip()
            raise Locked(
                f"{self._path}: another rkx works on this cluster: {holder}", hint="wait for it to end"
            ) from None

    def _is_in_place(self, handle: int) -> bool:
        """Return whether the locked file still has its name: who held it may have removed it since it was opened."""
        found = os.fstat(handle)
        if found.st_nlink > 1:
            raise self._linked()
        try:
            return os.path.samestat(found, self._path.lstat())
        except FileNotFoundError:
            return False

    def _linked(self) -> Refused:
        return Refused(f"{self._path} is a link to another file", hint="take it away: rkx writes through no link")

    def release(self) -> None:
        """Release it; its file is deleted first, while no one else can hold it."""
        if self._handle >= 0:
            with contextlib.suppress(OSError):
                self._path.unlink()
            os.close(self._handle)
            self._handle = -1
