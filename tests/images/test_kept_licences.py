"""Each built image keeps the licences of what it hands on."""

from __future__ import annotations

import re
import subprocess
import tarfile
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path, PurePosixPath
from posixpath import normpath

import pytest

from rkx_images import catalogue
from rkx_images.licences import linked_modules
from rkx_lab import images
from rkx_lab.extract import extract

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]
IMAGES = catalogue.load(Path(__file__).parents[2] / "images").images
PROGRAMS = [(name, each.output) for name, image in IMAGES.items() for each in image.programs if not each.source]
SOURCES = [(name, each.module) for name, image in IMAGES.items() for each in image.sources]
DEBIAN = [name for name, image in IMAGES.items() if image.debian or image.base]
WITH_GLIBC = ["pause", "flannel"]
"""Hold a program that is linked statically with it."""
NAMED = re.compile("licen[cs]e|copying|copyright", re.IGNORECASE)


def members(image: str) -> Iterator[tarfile.TarInfo]:
    """Walk through what lies in an image's layers."""
    archive = images.ensure([image])[image]
    with tarfile.open(archive.path) as tar:
        for layer in archive.layers:
            with tarfile.open(fileobj=tar.extractfile(layer.member)) as files:
                yield from files


@cache
def licensed(image: str) -> set[str]:
    """List the folders that hold a licence which is not empty, and the links to such folders."""
    found, links = set[str](), dict[str, str]()
    for each in members(image):
        path = PurePosixPath(each.name)
        if each.isreg() and each.size and NAMED.search(path.name):
            found.add(str(path.parent))
        if each.issym():
            links[str(path)] = normpath(path.parent / each.linkname)
    return found | {link for link, target in links.items() if target in found}


def lacking(image: str, folder: str, names: Iterable[str]) -> list[str]:
    """List the names below a folder that have no licence there."""
    return [name for name in names if f"{folder}/{name}" not in licensed(image)]


def taken(image: str, name: str, folder: Path) -> Path:
    """Take a file out of an image."""
    extract(images.ensure([image])[image], name.lstrip("/"), folder / "taken")
    return folder / "taken"


@pytest.mark.parametrize(("image", "program"), PROGRAMS)
def test_each_module_that_is_linked_into_a_program_has_its_licence_and_so_has_go(
    image: str, program: str, tmp_path: Path
) -> None:
    line = ["go", "version", "-m", str(taken(image, program, tmp_path))]
    report = subprocess.run(line, capture_output=True, text=True, check=True).stdout
    modules = ["go", *(module for module, _version in linked_modules(report))]
    assert lacking(image, "usr/share/licenses", modules) == []


@pytest.mark.parametrize(("image", "module"), SOURCES)
def test_each_source_of_the_catalogue_has_its_licence(image: str, module: str) -> None:
    assert lacking(image, "usr/share/licenses", [module]) == []


@pytest.mark.parametrize("image", DEBIAN)
def test_each_debian_package_has_its_copyright(image: str, tmp_path: Path) -> None:
    status = taken(image, "var/lib/dpkg/status", tmp_path).read_text()
    packages = re.findall(r"^Package: (.+)$", status, re.MULTILINE)
    assert len(packages) > 50
    assert lacking(image, "usr/share/doc", packages) == []


@pytest.mark.parametrize("image", WITH_GLIBC)
def test_what_is_linked_statically_with_glibc_has_its_copyright(image: str) -> None:
    assert lacking(image, "usr/share/doc", ["libc6"]) == []
