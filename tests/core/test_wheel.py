"""The wheel is built without a network and without Go, and carries rkx-node where it was built."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
FILES = ("pyproject.toml", "README.md", "LICENSE", ".gitignore")
ROOMS = ("core", "plugins")
PROGRAMS = ("rkx-node-amd64", "rkx-node-arm64")
PIP = (sys.executable, "-m", "pip", "--isolated", "--disable-pip-version-check")
BUILD = ("wheel", "--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--wheel-dir")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Copy what the wheel is made of, without rkx-node."""
    folder = tmp_path / "source"
    for name in ROOMS:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("rkx-node-*", "__pycache__"))
    for name in FILES:
        shutil.copy(ROOT / name, folder)
    return folder


def contents(source: Path) -> dict[str, bytes]:
    """Build the wheel as pip does, on a machine that has no other program, and give its files."""
    target = source.parent / "wheels"
    done = subprocess.run([*PIP, *BUILD, target, source], env={"PATH": ""}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    [wheel] = target.iterdir()
    with ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.whole
def test_it_carries_rkx_node_that_was_built(source: Path) -> None:
    folder = source / "core/rkx/reconcile/bin"
    folder.mkdir(exist_ok=True)
    for name in PROGRAMS:
        (folder / name).write_bytes(name.encode())
    found = contents(source)
    assert {name: found.get(f"rkx/reconcile/bin/{name}") for name in PROGRAMS} == {n: n.encode() for n in PROGRAMS}


@pytest.mark.whole
def test_it_is_built_without_rkx_node_all_the_same(source: Path) -> None:
    found = contents(source)
    assert [name for name in found if "rkx-node" in name] == []
    assert {"rkx/cli/main.py", "rkx_transport_ssh/__init__.py", "rkx_service_kubernetes/flags.toml"} <= found.keys()
    [points] = [text.decode() for name, text in found.items() if name.endswith("/entry_points.txt")]
    assert "rkx = rkx.cli.main:main" in points
