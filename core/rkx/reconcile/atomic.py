"""Files that hold keys: written beside their place under a random name, for their owner alone, synced, then renamed."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

SUFFIX = ".new"
NO_SYNC = {errno.EINVAL, errno.ENOTSUP}
"""How file systems answer that cannot sync a folder (fsync(2))."""


def replace_file(path: Path, content: bytes) -> None:
    """Put ``content`` at ``path``, 0600, whole or not at all; OSError if it cannot be.

    A link that lies there is replaced, never followed.
    """
    with beside(path, [content]) as new:
        put(new, path)


@contextlib.contextmanager
def beside(path: Path, content: Iterable[bytes]) -> Iterator[Path]:
    """Lend a synced file in the folder of ``path`` that holds these pieces; removed unless it was moved away."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=SUFFIX, dir=path.parent)  # O_EXCL and O_NOFOLLOW
    try:
        with os.fdopen(handle, "wb") as file:
            with contextlib.suppress(OSError):  # a file system without modes; umask can but take rights away
                os.fchmod(handle, 0o600)
            file.writelines(content)
            file.flush()
            os.fsync(handle)
        yield Path(name)
    finally:
        with contextlib.suppress(OSError):
            os.unlink(name)


def put(new: Path, path: Path) -> None:
    """Move a file to its place in the same folder, so that it is there after a power cut as well."""
    os.replace(new, path)
    handle = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in NO_SYNC:
            raise
    finally:
        os.close(handle)


def clear_stale(path: Path) -> None:
    """Remove what killed writes of ``path``, and of its generations, left beside it; for who has the lock on it."""
    ours = re.compile(rf"\.{re.escape(path.name)}(\.\d+)?\.[a-z0-9_]{{8}}{re.escape(SUFFIX)}")
    with contextlib.suppress(OSError), os.scandir(path.parent) as entries:
        for entry in entries:
            if ours.fullmatch(entry.name) and entry.is_file(follow_symlinks=False) and _is_own(entry.stat()):
                os.unlink(entry.path)


def close_to_others(handle: int) -> int:
    """Take an own file's rights from all but its owner; give its mode, which stays wider where that cannot be done."""
    found = os.fstat(handle)
    if found.st_mode & 0o077 and _is_own(found):
        with contextlib.suppress(OSError):  # a file system without modes
            os.fchmod(handle, 0o600)
    return os.fstat(handle).st_mode & 0o777


def _is_own(found: os.stat_result) -> bool:
    return found.st_uid == os.geteuid()
