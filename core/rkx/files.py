"""Read the files that cluster.yml names, which may be another's: a pipe or a device may have no end."""

from __future__ import annotations

import errno
import io
import os
import stat
from pathlib import Path


def expanded(path: str) -> Path:
    """Return a path as an operator writes it, ``~`` as a home folder; one of an unknown user stays as it is."""
    return Path(os.path.expanduser(path))


def read_bytes(path: Path, most: int) -> bytes:
    """Read a regular file; OSError with a reason in words for any other, and for one of more than ``most`` bytes."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # a pipe would be waited for
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file")
        content = file.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, f"it is larger than {most} bytes")
    return content


def read_text(path: Path, most: int, *, encoding: str = "utf-8", errors: str = "strict") -> str:
    """Read a regular file of at most ``most`` bytes as text; OSError as ``read_bytes``, and UnicodeDecodeError."""
    return io.TextIOWrapper(io.BytesIO(read_bytes(path, most)), encoding, errors).read()
