"""Complete the go.mod and go.sum that are kept beside each program."""

import shutil
import tempfile
from pathlib import Path

from rkx_images import golang
from rkx_images.catalogue import Image, Program
from rkx_images.command import run
from rkx_images.progress import Progress


def complete(image: Image) -> None:
    """Resolve all that an image's Go programs import and write it to their go.mod and go.sum; compiles nothing.

    Another version of Kubernetes than the default gets a folder of its name for them. `go mod tidy` would also
    want what the tests of dependencies need, which is not all published.
    """
    for program in image.programs:
        if not program.source:
            with Progress(image.name).step(f"resolve the modules of {program.output}"):
                _resolve(image, program, _modfile(image))


def _resolve(image: Image, program: Program, modfile: Path | None) -> None:
    flags = [f"-modfile={modfile}"] if modfile else []
    argv = ["go", "list", "-mod=mod", *flags, "-deps", *golang.tag_flags(image, program), program.package]
    run(argv, cwd=image.folder / program.folder, env=golang.environment(cgo=program.cgo))


def _modfile(image: Image) -> Path | None:
    if not image.version:
        return None
    folder = image.folder / image.version
    if not folder.exists():
        with tempfile.TemporaryDirectory() as fresh:
            made = golang.write_modfile(image, Path(fresh))
            folder.mkdir()
            shutil.copy(made, folder)
    return folder / "go.mod"
