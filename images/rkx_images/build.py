"""Build images: each once per digest of its inputs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from rkx_images import archive, debian, golang, licences
from rkx_images.cache import Cache, publish
from rkx_images.catalogue import Catalogue, Image, Program
from rkx_images.command import run
from rkx_images.digest import architecture, image_digest
from rkx_images.layer import LayerWriter
from rkx_images.progress import Progress

_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Builder:
    """Builds the catalogue's images into a cache; may be used from several threads and processes at once."""

    def __init__(self, catalogue: Catalogue, cache: Cache) -> None:
        self._catalogue = catalogue
        self._cache = cache

    def archive(self, image: Image) -> Path:
        """Return the place of an image's archive, whether it was built or not."""
        return self._cache.archive(image.name, image_digest(self._catalogue, image))

    def ensure(self, image: Image) -> Path:
        """Build an image, and the base it needs, unless the cache has it; give its archive."""
        target, progress = self.archive(image), Progress(image.name)
        if target.exists():
            return target
        with self._cache.lock(target, lambda: progress.say("waiting for another build of it...")):
            if not target.exists():
                with self._cache.work(target) as work, progress.step(f"build {image.reference}"):
                    self._build(image, work, progress)
                    publish(work / "archive.tar", target)
        return target

    def _build(self, image: Image, work: Path, progress: Progress) -> None:
        own = self._own_files(image, work, progress)  # before the base, which may be in the making meanwhile
        layers = archive.layers_in(self.ensure(self._catalogue.find(image.base))) if image.base else []
        if image.debian:
            with progress.step(f"install {len(image.packages)} Debian packages and what they need"):
                debian.build(image, self._catalogue.debian, work / "debian.tar")
            layers.append(archive.layer_of(work / "debian.tar"))
        if not own.empty():
            own.write(work / "own.tar")
            layers.append(archive.layer_of(work / "own.tar"))
        archive.write(
            work / "archive.tar",
            reference=image.reference,
            architecture=architecture(),
            layers=layers,
            start=_start(image),
        )

    def _own_files(self, image: Image, work: Path, progress: Progress) -> LayerWriter:
        layer = LayerWriter()
        layer.tree(image.folder / "rootfs")
        modfile = golang.write_modfile(image, work) if image.version else None
        for number, program in enumerate(image.programs):
            built = work / f"program{number}"
            with progress.step(f"build program {program.output}") as compiled:
                _compile(image, program, built, modfile, compiled)
            layer.file(program.output, built, 0o755)
            for path, text in _licences(program, built).items():
                layer.file(path, text, 0o644)
        for path, target in image.links.items():
            layer.link(path, target)
        for name in image.licences:
            layer.file(name, Path(name), 0o644)
        return layer


def _compile(
    image: Image, program: Program, output: Path, modfile: Path | None, compiled: Callable[[str], None]
) -> None:
    if program.source:
        argv = ["gcc", "-Os", "-Wall", "-Werror", "-static", "-s", "-o", str(output), program.source]
        run(argv, cwd=image.folder)
    else:
        golang.build(image, program, output, modfile, compiled)


def _licences(program: Program, built: Path) -> dict[str, Path]:
    return {} if program.source else licences.of_program(built)


def _start(image: Image) -> dict[str, Any]:
    entrypoint = {"Entrypoint": list(image.entrypoint)} if image.entrypoint else {}
    return {"Env": [_PATH], **entrypoint, **({"User": image.user} if image.user else {})}
