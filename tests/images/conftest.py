"""A small catalogue to build from: two images of links and files, without Go, gcc or Debian."""

from collections.abc import Callable
from pathlib import Path

import pytest

from rkx_images.catalogue import Catalogue, load

_CATALOGUE = """\
[toolchain]
go = "1.26.8"
debian = "bookworm"
[low]
repository = "rkx/low"
tag = "1"
[high]
repository = "rkx/high"
tag = "2"
"""


@pytest.fixture
def catalogue() -> Callable[..., Catalogue]:
    """Return the maker of a catalogue of `low` and, on top of it, `high`, each with more lines for its recipe."""
    return _catalogue


def _catalogue(folder: Path, *, low: str = "", high: str = "") -> Catalogue:
    folder.mkdir(exist_ok=True)
    (folder / "catalogue.toml").write_text(_CATALOGUE)
    for name, recipe in {"low": f"{low}\n", "high": f'base = "low"\n{high}\n'}.items():
        files = folder / name / "rootfs" / "etc"
        files.mkdir(parents=True)
        (files / name).write_text(f"{name}\n")
        (folder / name / "image.toml").write_text(recipe)
    return load(folder)
