"""Build Go programs, each from the module whose go.mod and go.sum are kept beside it."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from rkx_images import overlay
from rkx_images.catalogue import Image, Program
from rkx_images.command import run
from rkx_images.errors import BuildError
from rkx_images.modfile import kubernetes_modfile, minor_of

_FIRST_MINOR_WITH_CONTEXT = 34  # kubelet's constructor, see images/kubernetes/kubelet.go


def environment(*, cgo: bool = False, architecture: str = "") -> dict[str, str]:
    """Return the environment of every go command: no toolchain fetched, no setting of the user's."""
    fixed = {"GOTOOLCHAIN": "local", "GOFLAGS": "-buildvcs=false", "GOWORK": "off", "CGO_ENABLED": str(int(cgo))}
    return dict(os.environ) | fixed | ({"GOARCH": architecture} if architecture else {})


def build(image: Image, program: Program, output: Path, modfile: Path | None, compiled: Callable[[str], None]) -> None:
    """Build one program into `output`; with `modfile`, from that go.mod, completing its go.sum on the way.

    `compiled` is called with the name of each package.
    """
    source = image.source_of(program)
    flags = [_filled(flag, source.version) for flag in program.ldflags] if source else list(program.ldflags)
    overlaid = [f"-overlay={overlay.write(image.overlay, output.parent)}"] if image.overlay else []
    argv = ["go", "build", "-v", *module_flags(modfile), "-trimpath", *overlaid, *tag_flags(image, program)]
    argv += ["-ldflags", " ".join(["-s", "-w", *flags]), "-o", str(output), program.package]
    run(argv, cwd=image.folder / program.folder, env=environment(cgo=program.cgo), line=compiled)


def module_flags(modfile: Path | None) -> list[str]:
    """Choose between the committed, complete go.mod and one that may still grow."""
    return [f"-modfile={modfile}", "-mod=mod"] if modfile else ["-mod=readonly"]


def tag_flags(image: Image, program: Program) -> list[str]:
    """Return the build tags of a program, with those that choose between sources by Kubernetes' minor."""
    old = image.name == "kubernetes" and minor_of(image.sources[0].version) < _FIRST_MINOR_WITH_CONTEXT
    tags = [*program.tags, *(["before134"] if old else [])]
    return ["-tags", ",".join(tags)] if tags else []


def write_modfile(image: Image, folder: Path) -> Path:
    """Put the go.mod of a version that is not the default into `folder`: the kept one, else one from the template."""
    kept = image.folder / image.version
    if kept.is_dir():
        for name in ("go.mod", "go.sum"):
            shutil.copy(kept / name, folder)
    elif image.name == "kubernetes":
        upstream = upstream_modfile(image.sources[0].module, image.version)
        (folder / "go.mod").write_text(kubernetes_modfile(image.version, upstream))
    else:
        raise BuildError(f"{image.name}@{image.version}: only kubernetes is built in several versions")
    return folder / "go.mod"


def upstream_modfile(module: str, version: str) -> str:
    """Fetch the go.mod of a published module."""
    with tempfile.TemporaryDirectory() as outside:  # inside a module, go would want that one complete first
        argv = ["go", "mod", "download", "-json", f"{module}@{version}"]
        done = subprocess.run(argv, cwd=outside, env=environment(), capture_output=True, text=True, check=False)
    answer = json.loads(done.stdout or "{}")
    if done.returncode or "GoMod" not in answer:
        raise BuildError(f"{module}@{version}: {answer.get('Error') or done.stderr.strip()}")
    return Path(answer["GoMod"]).read_text()


def _filled(flag: str, version: str) -> str:
    major, minor = version.removeprefix("v").split(".")[:2]
    return flag.format(version=version, number=version.removeprefix("v"), major=major, minor=minor)
