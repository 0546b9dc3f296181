"""Read archives that an Engine gives of a container's files, entry by entry."""

from __future__ import annotations

import tarfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from http import HTTPStatus

import msgspec

from rkx.errors import BadAnswer
from rkx.reconcile.bounds import ENGINE, MIB
from rkx.reconcile.headers import Archive
from rkx.reconcile.sessions import Session


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A file, folder or other thing in an archive; its content can be read until the next entry is asked for."""

    info: tarfile.TarInfo
    archive: tarfile.TarFile
    node: str
    path: str

    def content(self) -> bytes | None:
        """Read a file; None for what is none."""
        with _readable(self.node, self.path):
            opened = self.archive.extractfile(self.info) if self.info.isfile() else None
            return opened.read() if opened else None

    def pieces(self) -> Iterator[bytes]:
        """Read a file piece by piece; BadAnswer where the archive ends before it."""
        with _readable(self.node, self.path):
            opened, left = self.archive.extractfile(self.info), self.info.size
            while opened and left and (piece := opened.read(min(left, MIB))):
                left -= len(piece)
                yield piece
        if left:
            raise BadAnswer(f"{self.node}: {self.path}: the archive ends before its file does", node=self.node)


def entries(engine: Session, container: str, path: str, *, most: int = ENGINE.size) -> Generator[Entry]:
    """Read a path through the stopped container's binds, ``most`` bytes of each entry; nothing where it is not."""
    with engine.get(f"/containers/{container}/archive", params={"path": path}, stream=True) as answer:
        if answer.status == HTTPStatus.NOT_FOUND:
            return
        stream = answer.checked().file()
        with _readable(engine.node, path), Archive.open(fileobj=stream, mode="r|") as archive:
            for info in archive:
                _judge(info, engine.node, path, most)
                yield Entry(info=info, archive=archive, node=engine.node, path=path)


@contextmanager
def _readable(node: str, path: str) -> Iterator[None]:
    """Name the node where tarfile gives up; what the caller does with an entry has its own guard."""
    try:
        yield
    except (tarfile.TarError, ValueError, EOFError, OverflowError) as error:
        why = f"{type(error).__name__}: {str(error)[:200]}"
        raise BadAnswer(f"{node}: {path}: the archive cannot be read: {why}", node=node) from error


def _judge(entry: tarfile.TarInfo, node: str, path: str, most: int) -> None:
    """Refuse an entry that says more of itself than its archive can hold."""
    if not 0 <= entry.size <= most:
        raise BadAnswer(f"{node}: {path}: {entry.name[:200]!r} is larger than {most // MIB} MiB", node=node)
