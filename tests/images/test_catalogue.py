"""The catalogue, the go.mod files and the page about images say the same."""

import re
from pathlib import Path

import pytest

from rkx_images.catalogue import Image, load

ROOT = Path(__file__).parents[2] / "images"
IMAGES = load(ROOT).images.values()


@pytest.mark.parametrize("image", IMAGES, ids=lambda image: image.name)
def test_go_mod_requires_the_catalogues_version(image: Image) -> None:
    for source in image.sources:
        text = (image.folder / source.folder / "go.mod").read_text()
        assert re.search(rf"{re.escape(source.module)} {re.escape(source.version)}$", text, re.MULTILINE)


@pytest.mark.parametrize("image", IMAGES, ids=lambda image: image.name)
def test_programs_have_a_go_mod_with_its_sums_or_a_c_file(image: Image) -> None:
    for program in image.programs:
        folder = image.folder / program.folder
        needed = [program.source] if program.source else ["go.mod", *(["go.sum"] if image.sources else [])]
        assert [name for name in needed if not (folder / name).is_file()] == []


@pytest.mark.parametrize("image", IMAGES, ids=lambda image: image.name)
def test_page_names_every_image_source_and_licence(image: Image) -> None:
    page = (ROOT / "README.md").read_text()
    assert f"`{image.reference}`" in page
    for source in image.sources:
        assert f"| {source.module} {source.version} | {source.licence} |" in page
