"""Write layers: tars whose bytes depend on names and contents only."""

import os
import posixpath
import tarfile
from pathlib import Path, PurePosixPath

from rkx_images.errors import BuildError


class LayerWriter:
    """Collects files and links under their paths in the image and writes them sorted, owned by root."""

    def __init__(self) -> None:
        self._files: dict[str, tuple[Path, int]] = {}
        self._links: dict[str, str] = {}

    def file(self, path: str, content: Path, mode: int) -> None:
        """Put a file at an absolute path of the image; a later call for the same path replaces it.

        Raises BuildError when there is no such file.
        """
        if not content.is_file():
            raise BuildError(f"{content}: no such file, wanted as {path} in the image")
        self._files[_inside(path)] = (content, mode)

    def link(self, path: str, target: str) -> None:
        """Put a symbolic link at an absolute path of the image."""
        self._links[_inside(path)] = target

    def tree(self, folder: Path) -> None:
        """Put every file below `folder` where it lies in it, executable or not as there."""
        for path in folder.rglob("*"):
            if path.is_file():
                mode = 0o755 if os.access(path, os.X_OK) else 0o644
                self.file(f"/{path.relative_to(folder)}", path, mode)

    def empty(self) -> bool:
        """Return whether nothing was put."""
        return not self._files and not self._links

    def write(self, path: Path) -> None:
        """Write the tar to `path`."""
        with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
            for name in sorted(self._folders() | self._files.keys() | self._links.keys()):
                self._add(tar, name)

    def _folders(self) -> set[str]:
        names = [*self._files, *self._links]
        return {str(parent) for name in names for parent in PurePosixPath(name).parents if str(parent) != "."}

    def _add(self, tar: tarfile.TarFile, name: str) -> None:
        member = tarfile.TarInfo(name)
        if name in self._files:
            content, member.mode = self._files[name]
            member.size = content.stat().st_size
            with content.open("rb") as file:
                tar.addfile(member, file)
            return
        member.mode = 0o777 if name in self._links else 0o755
        member.type = tarfile.SYMTYPE if name in self._links else tarfile.DIRTYPE
        member.linkname = self._links.get(name, "")
        tar.addfile(member)


def _inside(path: str) -> str:
    return posixpath.normpath(path).lstrip("/")
