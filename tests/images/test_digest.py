"""An image's name changes with each of its inputs, and with nothing else."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from rkx_images.catalogue import Catalogue
from rkx_images.digest import image_digest

Change = Callable[[Path], object]
Make = Callable[..., Catalogue]


def _digest(known: Catalogue, name: str = "high") -> str:
    return image_digest(known, known.find(name))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda root: (root / "high/rootfs/etc/high").write_text("other\n"), id="a file's content"),
        pytest.param(lambda root: (root / "high/rootfs/etc/high").chmod(0o755), id="a file's mode"),
        pytest.param(lambda root: (root / "high/rootfs/etc/more").write_text(""), id="a new file"),
        pytest.param(lambda root: (root / "low/rootfs/etc/low").write_text("other\n"), id="a file of its base"),
    ],
)
def test_digest_changes_with_the_files_of_an_image_and_its_base(
    catalogue: Make, tmp_path: Path, change: Change
) -> None:
    known = catalogue(tmp_path)
    before = _digest(known)
    change(tmp_path)
    assert _digest(known) != before


def test_digest_changes_with_the_catalogue_entry(catalogue: Make, tmp_path: Path) -> None:
    known = catalogue(tmp_path)
    image = known.find("high")
    assert image_digest(known, replace(image, tag="3")) != image_digest(known, image)


def test_digest_changes_with_the_toolchain_of_go_programs_only(catalogue: Make, tmp_path: Path) -> None:
    with_go = catalogue(tmp_path, high='[[go]]\noutput = "/program"')
    other = replace(with_go, go="1.27.0")
    assert _digest(with_go) != _digest(other)
    assert _digest(with_go, "low") == _digest(other, "low")


def test_digest_is_the_same_for_another_checkout_and_for_pages_and_tests(catalogue: Make, tmp_path: Path) -> None:
    one, two = catalogue(tmp_path / "one"), catalogue(tmp_path / "two")
    (tmp_path / "two/high/README.md").write_text("read me\n")
    (tmp_path / "two/high/main_test.go").write_text("package main\n")
    assert _digest(one) == _digest(two)
