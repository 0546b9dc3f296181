"""Copy a file between a node and this computer, piece by piece, through a container that is never started."""

from __future__ import annotations

import hashlib
import os
import stat
import tarfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from rkx.errors import BadAnswer, Interrupted, PartlyDone
from rkx.lines import cut
from rkx.model.resource import Container
from rkx.model.step import CopyFile, FileCopied
from rkx.reconcile import archives
from rkx.reconcile.atomic import beside, clear_stale, put
from rkx.reconcile.bounds import MIB, Limit
from rkx.reconcile.node import NodeProgram
from rkx.reconcile.node_image import image_tag
from rkx.reconcile.state_store import StateStore
from rkx.reconcile.tasks import once
from rkx.reconcile.wait_budget import WaitBudget

INSIDE = "/copy"
"""Where the container shows the file's folder."""
SILENCE_S = 120.0


@dataclass
class _Counted:
    """Bytes on their way: how many, and what they are."""

    budget: WaitBudget
    most: int
    what: str
    ends: float
    size: int = 0
    digest: Any = field(default_factory=hashlib.sha256)

    def passed(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            if self.budget.cancelled.is_set():
                raise Interrupted(f"{self.what}: cancelled while it was copied")
            if time.monotonic() > self.ends:
                raise PartlyDone(f"{self.what}: the copy takes longer than its time", hint="give its step more time")
            self.size += len(piece)
            if self.size > self.most:
                raise PartlyDone(f"{self.what}: larger than {self.most} bytes", hint="look at that file")
            self.digest.update(piece)
            yield piece

    @property
    def copied(self) -> FileCopied:
        return FileCopied(size_bytes=self.size, sha256=self.digest.hexdigest())


def copy_file(program: NodeProgram, copy: CopyFile, store: StateStore, budget: WaitBudget) -> FileCopied:
    """Copy a file; PartlyDone where it, its folder or the room for it is not there."""
    counted = _Counted(budget, copy.most_bytes, f"{copy.node}: {copy.path}", time.monotonic() + copy.timeout_s)
    try:
        with _shown(program, copy, store) as container:
            if copy.direction == "from-node":
                _fetch(program, container, copy, counted)
            else:
                _send(program, container, copy, counted)
    except OSError as error:
        raise PartlyDone(f"{copy.local}: {cut(str(error))}", hint="look at that path, then run rkx again") from error
    return counted.copied


@contextmanager
def _shown(program: NodeProgram, copy: CopyFile, store: StateStore) -> Iterator[str]:
    """Lend a container that shows the folder of the file; one that is not there is an error, and not made."""
    with program.link.docker() as engine:
        program.load_image(engine)
    name = f"rkx-copy-{hashlib.sha256(repr(copy).encode()).hexdigest()[:12]}"
    image = image_tag(program.architecture)
    wanted = Container(node=copy.node, name=name, image=image, argv=("/rkx-node",), network="none")
    folder = {"Type": "bind", "Source": str(copy.path.parent), "Target": INSIDE}
    with once(program.link, wanted, store, Mounts=[{**folder, "ReadOnly": copy.direction == "from-node"}]) as made:
        yield made


def _fetch(program: NodeProgram, container: str, copy: CopyFile, counted: _Counted) -> None:
    clear_stale(copy.local)
    limit = Limit(size=copy.most_bytes + MIB, seconds=copy.timeout_s)
    with program.link.http(timeout_s=SILENCE_S, limit=limit) as engine:
        path = f"{INSIDE}/{copy.path.name}"
        with closing(archives.entries(engine, container, path, most=copy.most_bytes)) as found:
            entry = next(found, None)
            if entry is None:
                raise PartlyDone(f"{copy.node}: {copy.path} is not there", hint="look at that node, then run rkx again")
            if not entry.info.isfile():
                raise BadAnswer(f"{copy.node}: {copy.path} is not a file", node=copy.node)
            with beside(copy.local, counted.passed(entry.pieces())) as new:
                put(new, copy.local)


def _send(program: NodeProgram, container: str, copy: CopyFile, counted: _Counted) -> None:
    with (
        _opened(copy.local) as file,
        program.link.docker(timeout_s=SILENCE_S, limit=Limit(size=MIB, seconds=copy.timeout_s)) as engine,
    ):
        engine.put_archive(container, INSIDE, Packed(file, copy.path.name, counted))


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:  # a pipe must not be waited for
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise PartlyDone(f"{path} is not a regular file", hint="look at that path")
        yield file


class Packed:
    """A file as an archive of known size, read as it is sent."""

    def __init__(self, file: BinaryIO, name: str, counted: _Counted) -> None:
        self._file, self._counted = file, counted
        self._size = os.fstat(file.fileno()).st_size
        info = tarfile.TarInfo(name)
        info.size, info.mode = self._size, 0o600
        self._header = info.tobuf(tarfile.GNU_FORMAT)
        self._end = bytes(-self._size % tarfile.BLOCKSIZE + 2 * tarfile.BLOCKSIZE)

    def __len__(self) -> int:
        return len(self._header) + self._size + len(self._end)

    def __iter__(self) -> Iterator[bytes]:
        yield self._header
        yield from self._counted.passed(self._pieces())
        yield self._end

    def _pieces(self) -> Iterator[bytes]:
        left = self._size
        while left:
            piece = self._file.read(min(left, MIB))
            if not piece:
                raise PartlyDone(f"{self._counted.what}: the file here became shorter meanwhile", hint="run rkx again")
            left -= len(piece)
            yield piece
