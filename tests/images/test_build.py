"""An image is built once, whole or not at all, whoever else builds and whatever is interrupted."""

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from rkx_images.build import Builder
from rkx_images.cache import Cache
from rkx_images.catalogue import Catalogue, load
from rkx_images.cli import main
from rkx_images.errors import BuildError

Make = Callable[..., Catalogue]

_KILLED_WHILE_BUILDING = """
import sys
from pathlib import Path
from rkx_images.cache import Cache
target = Path(sys.argv[2])
cache = Cache(Path(sys.argv[1]))
with cache.lock(target, lambda: None), cache.work(target) as work:
    (work / "archive.tar").write_bytes(b"half")
    print("building", flush=True)
    sys.stdin.read()
"""


def _files(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.rglob("*") if p.is_file() and p.parent.name != "locks")


def test_second_build_takes_the_first_ones_archive(
    catalogue: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = catalogue(tmp_path)
    first = Builder(known, Cache(tmp_path / "cache")).ensure(known.find("high"))
    capsys.readouterr()
    assert Builder(known, Cache(tmp_path / "cache")).ensure(known.find("high")) == first
    assert capsys.readouterr().out == ""


def test_failed_build_leaves_nothing(catalogue: Make, tmp_path: Path) -> None:
    known = catalogue(tmp_path, low='licences = ["/no/such/licence"]')
    with pytest.raises(BuildError, match="/no/such/licence"):
        Builder(known, Cache(tmp_path / "cache")).ensure(known.find("low"))
    assert _files(tmp_path / "cache") == []


def test_killed_build_leaves_nothing_under_a_final_name_and_the_next_one_succeeds(
    catalogue: Make, tmp_path: Path
) -> None:
    known, cache = catalogue(tmp_path), tmp_path / "cache"
    target = Builder(known, Cache(cache)).archive(known.find("low"))
    argv = [sys.executable, "-c", _KILLED_WHILE_BUILDING, str(cache), str(target)]
    with subprocess.Popen(argv, env={"PYTHONPATH": ":".join(sys.path)}, stdin=-1, stdout=-1) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"building\n"
        process.kill()
    assert not target.exists()
    assert Builder(known, Cache(cache)).ensure(known.find("low")) == target
    assert _files(cache) == [target.name]


def test_builder_waits_for_another_one_of_the_same_image(tmp_path: Path) -> None:
    cache, target, waiting, entered = Cache(tmp_path), tmp_path / "target", threading.Event(), threading.Event()

    def second() -> None:
        with cache.lock(target, waiting.set):
            entered.set()

    thread = threading.Thread(target=second)
    with cache.lock(target, lambda: None):
        thread.start()
        assert waiting.wait(10)
        assert not entered.is_set()
    assert entered.wait(10)
    thread.join()


def test_unknown_image_is_named_with_the_known_ones(catalogue: Make, tmp_path: Path) -> None:
    catalogue(tmp_path)
    with pytest.raises(BuildError, match="no image 'hihg'") as caught:
        load(tmp_path).find("hihg")
    assert caught.value.hint == "known: low, high"


def test_command_line_says_what_is_wrong_and_exits_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["digest", "etdc"]) == 1
    assert "no image 'etdc'" in capsys.readouterr().err
