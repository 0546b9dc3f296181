"""A variant for tests is built with changed files of Go's own library; what is shipped is not touched by it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from rkx_images import cli, overlay
from rkx_images.catalogue import Catalogue
from rkx_images.digest import image_digest
from rkx_images.errors import BuildError

Make = Callable[..., Catalogue]


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a library of one file in place of Go's."""
    (tmp_path / "go/src/time").mkdir(parents=True)
    (tmp_path / "go/src/time/time.go").write_text("now := clock()\nother()\n")
    monkeypatch.setattr(overlay, "_go_root", lambda: str(tmp_path / "go"))
    return tmp_path / "go/src"


def changes(folder: Path, edit: str) -> Path:
    (folder / "late/time").mkdir(parents=True)
    (folder / "late/time/late.go").write_text("package time\n")
    (folder / "late/overlay.toml").write_text(f'["time/time.go"]\n{edit}\n')
    return folder / "late"


def test_own_files_join_the_library_and_lines_of_its_own_are_edited(library: Path, tmp_path: Path) -> None:
    folder = changes(tmp_path, '"now := clock()" = "now := clock() + 1"')
    replaced = json.loads(overlay.write(folder, tmp_path).read_text())["Replace"]
    assert replaced[str(library / "time/late.go")] == str(folder / "time/late.go")
    assert Path(replaced[str(library / "time/time.go")]).read_text() == "now := clock() + 1\nother()\n"
    assert (library / "time/time.go").read_text() == "now := clock()\nother()\n"


def test_a_library_that_reads_otherwise_is_refused(library: Path, tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="'now := hand\\(\\)' stands there 0 times"):
        overlay.write(changes(tmp_path, '"now := hand()" = ""'), tmp_path)


def test_a_variant_is_the_labs_and_no_image_of_the_catalogue(catalogue: Make, tmp_path: Path) -> None:
    known = catalogue(tmp_path)
    plain = image_digest(known, known.find("high"))
    folder = changes(tmp_path, "")
    variant = known.find("high+late")
    assert (variant.reference, variant.overlay) == ("rkx-lab/high-late:2", folder)
    assert known.images.keys() == {"low", "high"}
    assert image_digest(known, known.find("high")) == plain != image_digest(known, variant)
    before = image_digest(known, variant)
    (folder / "time/late.go").write_text("package time // changed\n")
    assert image_digest(known, variant) != before
    with pytest.raises(BuildError, match="no overlay 'early'"):
        known.find("high+early")


def test_an_image_and_its_variant_are_built_by_one_command(
    catalogue: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    catalogue(tmp_path / "images")
    changes(tmp_path / "images", "")
    monkeypatch.setattr(cli, "CHECKOUT", tmp_path)
    monkeypatch.setenv("RKX_CACHE", str(tmp_path / "cache"))
    assert cli.main(["build", "high", "high+late"]) == 0
    plain, variant = [line.split() for line in capsys.readouterr().out.splitlines() if ".tar" in line]
    assert (plain[1], variant[1]) == ("rkx/high:2", "rkx-lab/high-late:2")
    assert plain[2] != variant[2]
