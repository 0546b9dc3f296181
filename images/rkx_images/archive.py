"""Assemble an image archive that both `docker load` and OCI tools read."""

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rkx_images.errors import BuildError

_EPOCH = "1970-01-01T00:00:00Z"  # equal inputs give equal images
_OCI = "application/vnd.oci.image"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A layer's tar, as a stretch of a file: a base's layers are read out of its archive in place."""

    file: Path
    offset: int
    size: int
    digest: str


def layer_of(path: Path) -> Layer:
    """Take a whole tar file as a layer."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Layer(file=path, offset=0, size=path.stat().st_size, digest=digest)


def layers_in(archive: Path) -> list[Layer]:
    """Find the layers of an archive that `write` made, lowest first."""
    with tarfile.open(archive, "r:") as tar:
        members = {member.name: member for member in tar}
        manifest = tar.extractfile(members["manifest.json"]) if "manifest.json" in members else None
        if manifest is None:
            raise BuildError(f"{archive}: no manifest.json in it", "delete the file and build again")
        paths = json.load(manifest)[0]["Layers"]
    found = [members[path] for path in paths]
    return [Layer(file=archive, offset=m.offset_data, size=m.size, digest=m.name.rpartition("/")[2]) for m in found]


def digest_of(archive: Path) -> str:
    """Return the digest under which a registry holds an archive that `write` made, if it gets its blobs unchanged."""
    with tarfile.open(archive, "r:") as tar:
        index = tar.extractfile("index.json")
        if index is None:
            raise BuildError(f"{archive}: index.json is no file", "delete the file and build again")
        [entry] = json.load(index)["manifests"]
    return str(entry["digest"])


def write(path: Path, *, reference: str, architecture: str, layers: Sequence[Layer], start: Mapping[str, Any]) -> None:
    """Write an archive; `start` is the image's "config": Entrypoint, User and so on, in Docker's spelling."""
    config = _json(
        {
            "architecture": architecture,
            "os": "linux",
            "created": _EPOCH,
            "config": dict(start),
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer.digest}" for layer in layers]},
        }
    )
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": f"{_OCI}.manifest.v1+json",
            "config": _descriptor("config.v1+json", _sha256(config), len(config)),
            "layers": [_descriptor("layer.v1.tar", layer.digest, layer.size) for layer in layers],
        }
    )
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for digest, layer in {layer.digest: layer for layer in layers}.items():
            with layer.file.open("rb") as file:
                file.seek(layer.offset)
                _add(tar, _blob(digest), layer.size, file)
        for blob in (config, manifest):
            _add_bytes(tar, _blob(_sha256(blob)), blob)
        _add_indexes(tar, reference, config, manifest, layers)


def _add_indexes(tar: tarfile.TarFile, reference: str, config: bytes, manifest: bytes, layers: Sequence[Layer]) -> None:
    name = {"io.containerd.image.name": f"docker.io/{reference}", "org.opencontainers.image.ref.name": reference}
    entry = _descriptor("manifest.v1+json", _sha256(manifest), len(manifest)) | {"annotations": name}
    docker = {
        "Config": _blob(_sha256(config)),
        "RepoTags": [reference],
        "Layers": [_blob(layer.digest) for layer in layers],
    }
    _add_bytes(tar, "oci-layout", _json({"imageLayoutVersion": "1.0.0"}))
    _add_bytes(tar, "index.json", _json({"schemaVersion": 2, "manifests": [entry]}))
    _add_bytes(tar, "manifest.json", _json([docker]))


def _descriptor(kind: str, digest: str, size: int) -> dict[str, Any]:
    return {"mediaType": f"{_OCI}.{kind}", "digest": f"sha256:{digest}", "size": size}


def _blob(digest: str) -> str:
    return f"blobs/sha256/{digest}"


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _add_bytes(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    _add(tar, name, len(content), io.BytesIO(content))


def _add(tar: tarfile.TarFile, name: str, size: int, file: io.IOBase) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o644
    tar.addfile(member, file)
