"""One run at a time on one computer: a lock on a file beside the state."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO

from rkx.errors import Locked, PartlyDone


class FileLock:
    """The lock beside the state: two runs on one computer."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None

    def take(self) -> None:
        """Take it, or raise Locked naming the process that has it."""
        try:
            file = self._path.open("a+")
        except OSError as error:
            raise PartlyDone(
                f"{self._path}: {error.strerror}", hint="make the folder writable: the state lies there"
            ) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip()
            file.close()
            raise Locked(
                f"{self._path}: another rkx works on this cluster: {holder}", hint="wait for it to end"
            ) from None
        file.truncate(0)
        file.write(f"process {os.getpid()}\n")
        file.flush()
        self._file = file

    def release(self) -> None:
        """Give it back; the file stays, as another run may wait on it."""
        if self._file is not None:
            self._file.close()
            self._file = None
