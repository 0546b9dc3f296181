"""Complete the go.mod and go.sum that are kept beside each program."""

from rkx_images import golang
from rkx_images.catalogue import Image
from rkx_images.command import run
from rkx_images.progress import Progress


def complete(image: Image) -> None:
    """Resolve all that an image's Go programs import and write it to their go.mod and go.sum; compiles nothing.

    `go mod tidy` would also want what the tests of dependencies need, which is not all published.
    """
    progress = Progress(image.name)
    for program in image.programs:
        if program.source:
            continue
        with progress.step(f"resolve {program.package}"):
            argv = ["go", "list", "-mod=mod", "-deps", *golang.tag_flags(image, program), program.package]
            run(argv, cwd=image.folder / program.folder, env=golang.environment(cgo=program.cgo))
