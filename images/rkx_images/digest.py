"""Name each image by the digest of everything that goes into it."""

import hashlib
import json
import os
import platform
from dataclasses import fields
from pathlib import Path
from typing import Any

from rkx_images.catalogue import Catalogue, Image

# Raise it when the builder itself begins to make other images from the same inputs.
FORMAT = 1

_FOLDERS = ("folder", "overlay")  # what is in them counts, not where they lie
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def architecture() -> str:
    """Name this machine's architecture as Go and Docker do."""
    return _ARCHITECTURES.get(platform.machine(), platform.machine())


def image_digest(catalogue: Catalogue, image: Image) -> str:
    """Digest an image's inputs (64 hex digits): its folder, its catalogue entry, its base, the toolchain."""
    inputs = {
        "format": FORMAT,
        "architecture": architecture(),
        "image": {f.name: _plain(getattr(image, f.name)) for f in fields(image) if f.name not in _FOLDERS},
        "files": folder_digests(image.folder),
        "go": catalogue.go if image.programs else "",
        "debian": catalogue.debian if image.debian else "",
        "base": image_digest(catalogue, catalogue.find(image.base)) if image.base else "",
        **({"overlay": folder_digests(image.overlay)} if image.overlay else {}),
    }
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()


def folder_digests(folder: Path) -> list[tuple[str, bool, str]]:
    """List (path, executable, sha256) of a folder's files, without tests and pages, which no image holds."""
    paths = sorted(p for p in folder.rglob("*") if p.is_file() and not p.name.endswith(("_test.go", ".md")))
    return [(str(p.relative_to(folder)), os.access(p, os.X_OK), _sha256(p)) for p in paths]


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever JSON can say
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "__dataclass_fields__"):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    return dict(value) if hasattr(value, "items") else value
