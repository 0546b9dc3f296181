"""Take one program out of an image: python -m rkx_lab.extract kubernetes usr/local/bin/kubectl TARGET."""

import sys
import tarfile
from pathlib import Path
from posixpath import dirname, join, normpath
from shutil import copyfileobj
from typing import IO

from rkx_lab import images
from rkx_lab.archives import Archive
from rkx_lab.errors import LabError


def extract(archive: Archive, name: str, target: Path) -> None:
    """Write the file called ``name``, whatever links lead to it, to ``target``; whole or not at all."""
    beside = target.with_name(f".{target.name}.new")
    with tarfile.open(archive.path) as tar:
        for layer in reversed(archive.layers):
            with tarfile.open(fileobj=tar.extractfile(layer.member)) as files:
                if source := _file(files, name):
                    with beside.open("wb") as written:
                        copyfileobj(source, written)
                    beside.chmod(0o755)
                    beside.rename(target)
                    return
    raise LabError(f"{archive.reference} holds no {name}")


def _file(files: tarfile.TarFile, name: str) -> IO[bytes] | None:
    known = {member.name.removeprefix("./"): member for member in files}
    while (member := known.get(name)) is not None and member.issym():
        name = normpath(join(dirname(name), member.linkname)).lstrip("/")
    return files.extractfile(member) if member else None


def main(image: str, name: str, target: str) -> None:
    """Extract one program from an image that is built, or builds it."""
    extract(images.ensure([image])[image], name, Path(target))


if __name__ == "__main__":
    main(*sys.argv[1:])
