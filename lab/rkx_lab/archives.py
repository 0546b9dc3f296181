"""Read image archives, as `docker save` writes them and rkx_images builds them."""

import json
import tarfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """A part of an image: where it lies in the archive, and its digest."""

    member: str
    digest: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """An image in a file; its id is the digest of its configuration."""

    path: Path
    reference: str
    config: Blob
    layers: tuple[Blob, ...]

    @property
    def id(self) -> str:
        """Image id, as an engine shows it."""
        return self.config.digest


def read(path: Path) -> Archive:
    """Read the one image of an archive; its layers must be plain tar files."""
    with tarfile.open(path) as tar:
        (entry,) = json.loads(_content(tar, "manifest.json"))
        config = _content(tar, entry["Config"])
        digests = json.loads(config)["rootfs"]["diff_ids"]
        sizes = [tar.getmember(member).size for member in entry["Layers"]]
    layers = zip(entry["Layers"], digests, sizes, strict=True)
    return Archive(
        path=path,
        reference=entry["RepoTags"][0],
        config=Blob(member=entry["Config"], digest=f"sha256:{sha256(config).hexdigest()}", size=len(config)),
        layers=tuple(Blob(member=member, digest=digest, size=size) for member, digest, size in layers),
    )


def _content(tar: tarfile.TarFile, member: str) -> bytes:
    file = tar.extractfile(member)
    if file is None:
        raise ValueError(f"{member} is no file in the archive")
    return file.read()
