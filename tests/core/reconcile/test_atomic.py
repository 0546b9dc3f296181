"""Files with keys: what a kill leaves is cleared, what lies in the way is neither followed nor read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.core.reconcile.small import Site

from rkx.reconcile.atomic import clear_stale, replace_file
from rkx.reconcile.kubeconfig import kubeconfig_path

KILLED = """
import os, pathlib, sys
from rkx.reconcile.atomic import replace_file
os.replace = lambda *_: os._exit(9)
replace_file(pathlib.Path(sys.argv[1]), b"a key")
"""


def test_what_a_kill_leaves_is_closed_to_others_and_cleared(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("former")
    assert subprocess.run([sys.executable, "-c", KILLED, path], check=False).returncode == 9
    assert path.read_text() == "former"
    (left,) = set(tmp_path.iterdir()) - {path}
    assert left.stat().st_mode & 0o777 == 0o600
    clear_stale(path)
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_interrupted_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        replace_file(tmp_path / "file", b"a key")
    assert list(tmp_path.iterdir()) == []


def test_a_kubeconfig_that_is_a_link_is_replaced_not_followed(running: Site) -> None:
    path, other = kubeconfig_path(running.file), running.folder / "other"
    content = path.read_bytes()
    other.write_text("precious")
    path.unlink()
    path.symlink_to(other)
    running.done()
    assert other.read_text() == "precious"
    assert (path.is_symlink(), path.read_bytes(), path.stat().st_mode & 0o777) == (False, content, 0o600)
