"""The image of rkx-node: one static program, imported by the Engine's own stream."""

from __future__ import annotations

import hashlib
import io
import tarfile
from functools import cache
from importlib import resources

from rkx.errors import PreflightFailed
from rkx.reconcile.engine import Engine

REPOSITORY = "rkx.invalid/node"
"""No registry has this name (RFC 2606): a pod that asks for it finds the image that rkx sent, or none."""
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "amd64": "amd64", "arm64": "arm64"}


@cache
def program(architecture: str) -> bytes:
    """Read rkx-node for an architecture as the Engine names it, such as x86_64; PreflightFailed if there is none."""
    arch = ARCHITECTURES.get(architecture, architecture)
    try:
        return resources.files("rkx.reconcile").joinpath("bin", f"rkx-node-{arch}").read_bytes()
    except OSError:
        raise PreflightFailed(
            f"rkx-node for {arch} was not built into this rkx", hint="run: make node, then install rkx again"
        ) from None


@cache
def image_tag(architecture: str) -> str:
    """Name the image of rkx-node after its content."""
    return f"{REPOSITORY}:{hashlib.sha256(program(architecture)).hexdigest()[:12]}"


def load_image(engine: Engine, architecture: str) -> None:
    """Import the image by the Engine's own stream, unless it is there; PreflightFailed if there is none for it."""
    tag = image_tag(architecture)
    if not engine.has_image(tag):
        engine.import_image(_archive(program(architecture)), tag, "/rkx-node")


def _archive(binary: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        entry = tarfile.TarInfo("rkx-node")
        entry.size, entry.mode = len(binary), 0o755
        archive.addfile(entry, io.BytesIO(binary))
    return packed.getvalue()
