"""Another revision is checked out beside the repository and built by its own Makefile, once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from builds import check_out, there
from timed import Failed

FAILING = ".PHONY: images\nimages:\n\t@false\n"
MAKEFILE = """.PHONY: images
images:
\t@mkdir -p .venv/bin && ln -sf %s .venv/bin/python
\t@cp $$PIP_CONSTRAINT libraries
"""
LISTS = 'print(\'{"base": {"archive": "/nowhere.tar"}, "machine": {"archive": "/nowhere.tar"}}\')\n'


def git(folder: Path, *words: str) -> str:
    line = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", "-C", str(folder), *words]
    return subprocess.run(line, check=True, capture_output=True, text=True).stdout.strip()


def commit(folder: Path, text: str) -> str:
    """Write a Makefile and commit all that is there."""
    (folder / "Makefile").write_text(text)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "one")
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "repository"
    for room in ("core", "plugins", "images/rkx_images"):
        (folder / room).mkdir(parents=True)
        (folder / room / "__init__.py").touch()
    (folder / "images/rkx_images/__main__.py").write_text(LISTS)
    git(folder, "init", "--quiet")
    monkeypatch.setattr("builds.CHECKOUT", folder)
    monkeypatch.setenv("RKX_CACHE", str(tmp_path / "cache"))
    return folder


@pytest.mark.whole
def test_a_revision_is_checked_out_in_the_cache_and_built_by_its_own_makefile(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    former = commit(repository, MAKEFILE % sys.executable)
    commit(repository, FAILING)
    monkeypatch.setenv("MAKEFLAGS", "--dry-run")  # of the `make bench` that asks: it is not for that Makefile
    found = there("HEAD~1")
    assert found.checkout.parent == repository.parent / "cache/bench"
    assert found.revision == former[:7]
    assert found.cluster == {}  # no image of the machines themselves
    assert "pytest==" in (found.checkout / "libraries").read_text()


@pytest.mark.whole
def test_a_revision_that_does_not_build_is_no_figure(repository: Path) -> None:
    commit(repository, FAILING)
    with pytest.raises(Failed, match="HEAD was not built in "):
        there("HEAD")


def test_a_checkout_that_is_there_is_used_and_an_interrupted_one_is_not(repository: Path) -> None:
    former = commit(repository, FAILING)
    part = repository.parent / "cache/bench" / f"{former[:12]}.part"
    part.mkdir(parents=True)
    (part / "half").touch()
    first = check_out("HEAD")
    assert sorted(path.name for path in first.iterdir() if path.name != ".git") == [
        "Makefile",
        "core",
        "images",
        "plugins",
    ]
    (first / "built").touch()
    assert (check_out(former) / "built").exists()


@pytest.mark.parametrize("name", ["nothing", "--help"])
def test_what_is_not_a_revision_is_refused(repository: Path, name: str) -> None:
    commit(repository, FAILING)
    with pytest.raises(Failed, match="rev-parse"):
        check_out(name)
