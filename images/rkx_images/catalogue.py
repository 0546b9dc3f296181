"""Read the catalogue of versions and the recipe of each image."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from rkx_images.errors import BuildError


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A Go module that programs are built from, pinned by the go.mod in `folder`."""

    folder: str
    module: str
    version: str
    licence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One program of an image: a Go package, or a C file when `source` is set."""

    output: str
    folder: str = "."
    package: str = "."
    ldflags: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    cgo: bool = False
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """One image: its reference, where its parts come from, and how it starts.

    `version` is that of a Go module other than the committed one, empty for the committed go.mod. `overlay` is a folder
    of changes to Go's own library, for a variant that tests alone run.
    """

    name: str
    folder: Path
    repository: str
    tag: str
    version: str = ""
    base: str = ""
    debian: bool = False
    packages: tuple[str, ...] = ()
    customize: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()
    programs: tuple[Program, ...] = ()
    links: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    licences: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    user: str = ""
    overlay: Path | None = None

    @property
    def reference(self) -> str:
        """Return the name under which a Docker Engine knows the image."""
        return f"{self.repository}:{self.tag}"

    def source_of(self, program: Program) -> Source | None:
        """Find the Go module of a program; None for a program of rkx's own."""
        return next((s for s in self.sources if s.folder == program.folder), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """All images, and the toolchain they are built with."""

    root: Path
    go: str
    debian: str
    images: Mapping[str, Image]

    def find(self, name: str) -> Image:
        """Find an image by NAME, NAME@VERSION for another version of its main module, NAME+OVERLAY for tests.

        Raises BuildError for a name that the catalogue does not have.
        """
        if "+" in name:
            return self._overlaid(*name.split("+", 1))
        plain, _, version = name.partition("@")
        if plain not in self.images:
            raise BuildError(f"no image {plain!r} in catalogue.toml", f"known: {', '.join(self.images)}")
        image = self.images[plain]
        return at_version(image, version) if version and version != image.sources[0].version else image

    def _overlaid(self, name: str, overlay: str) -> Image:
        image, folder = self.find(name), self.root / overlay
        if not (folder / "overlay.toml").is_file():
            raise BuildError(f"no overlay {overlay!r}: {folder / 'overlay.toml'} is missing")
        return replace(image, repository=f"rkx-lab/{image.name}-{overlay}", overlay=folder)


def load(root: Path) -> Catalogue:
    """Read `catalogue.toml` and every image's `image.toml` below `root`."""
    table = _toml(root / "catalogue.toml")
    toolchain = table.pop("toolchain")
    images = {name: _image(root / name, name, entry) for name, entry in table.items()}
    return Catalogue(root=root, go=toolchain["go"], debian=toolchain["debian"], images=MappingProxyType(images))


def at_version(image: Image, version: str) -> Image:
    """Return the same image for another version of its first module."""
    if not image.sources:
        raise BuildError(f"image {image.name!r} has no versions to choose from", f"write {image.name}")
    source = replace(image.sources[0], version=version)
    return replace(image, version=version, tag=version, sources=(source, *image.sources[1:]))


def _image(folder: Path, name: str, entry: dict[str, Any]) -> Image:
    recipe = _toml(folder / "image.toml")
    programs = [Program(**_tuples(p)) for kind in ("go", "c") for p in recipe.pop(kind, [])]
    sources = [Source(**s) for s in entry.pop("sources", [])]
    links = MappingProxyType(recipe.pop("links", {}))
    rest = _tuples(recipe | entry)
    return Image(name=name, folder=folder, sources=tuple(sources), programs=tuple(programs), links=links, **rest)


def _tuples(table: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise BuildError(f"{path}: {error}") from error
