"""Keep what was built outside the checkout, safe against two builders at once and against interruption."""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def default_folder() -> Path:
    """Find the cache folder: $RKX_CACHE, else rkx below the user's cache folder."""
    chosen = os.environ.get("RKX_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rkx"


class Cache:
    """A folder of finished files under final names, locks beside them, and work in progress apart."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def archive(self, name: str, digest: str) -> Path:
        """Return the place of an image's archive, whether it is there or not."""
        return self.folder / "images" / f"{name}-{digest[:12]}.tar"

    def program(self, name: str, digest: str) -> Path:
        """Return the place of a single program, whether it is there or not."""
        return self.folder / "programs" / f"{name}-{digest[:12]}"

    @contextmanager
    def lock(self, target: Path, waiting: Callable[[], None]) -> Iterator[None]:
        """Hold the right to build `target`; `waiting` is called once if another process has it."""
        path = self.folder / "locks" / target.name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                waiting()
                fcntl.flock(file, fcntl.LOCK_EX)
            yield

    @contextmanager
    def work(self, target: Path) -> Iterator[Path]:
        """Return an empty folder to build `target` in, gone afterwards; the caller holds its lock."""
        folder = self.folder / "work" / target.name
        shutil.rmtree(folder, ignore_errors=True)  # a killed build's
        folder.mkdir(parents=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def publish(finished: Path, target: Path) -> None:
    """Move a finished file of the same file system to its final name, so that it is there whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with finished.open("rb") as file:
        os.fsync(file.fileno())
    finished.rename(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
