"""Build rkx-node, the program that rkx carries to its machines, into the package that carries it."""

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

from rkx_images.cache import Cache, publish
from rkx_images.command import run
from rkx_images.digest import FORMAT, folder_digests
from rkx_images.golang import environment
from rkx_images.progress import Progress

ARCHITECTURES = ("amd64", "arm64")


def node_digest(checkout: Path, go: str) -> str:
    """Digest what the programs are built from."""
    inputs = {"format": FORMAT, "go": go, "files": folder_digests(checkout / "images" / "node")}
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()


def places(checkout: Path) -> dict[str, Path]:
    """Map each architecture to where the package expects its program."""
    folder = checkout / "core" / "rkx" / "reconcile" / "bin"
    return {architecture: folder / f"rkx-node-{architecture}" for architecture in ARCHITECTURES}


def ensure(checkout: Path, go: str, cache: Cache) -> None:
    """Put the programs of all architectures, and the licence of what they are linked from, in their places."""
    digest = node_digest(checkout, go)
    for architecture, place in places(checkout).items():
        built = _built(checkout / "images" / "node", architecture, digest, cache)
        if not place.exists() or place.read_bytes() != built.read_bytes():
            _copy(built, place)
    licence = checkout / "core" / "rkx" / "reconcile" / "bin" / "rkx-node-LICENSE.go"
    if not licence.exists():
        argv = ["go", "env", "GOROOT"]
        root = subprocess.run(argv, env=environment(), capture_output=True, text=True, check=True).stdout.strip()
        _copy(Path(root) / "LICENSE", licence)


def _built(source: Path, architecture: str, digest: str, cache: Cache) -> Path:
    target, progress = cache.program(f"rkx-node-{architecture}", digest), Progress("node")
    with cache.lock(target, lambda: progress.say("waiting for another build of it...")):
        if not target.exists():
            with cache.work(target) as work, progress.step(f"build program rkx-node-{architecture}"):
                argv = ["go", "build", "-mod=readonly", "-trimpath", "-ldflags", "-s -w", "-o", str(work / "program")]
                run([*argv, "."], cwd=source, env=environment(architecture=architecture))
                publish(work / "program", target)
    return target


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.new")
    shutil.copy2(source, beside)
    beside.rename(target)
