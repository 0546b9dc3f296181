"""The lock of this computer: one run at a time, nothing left behind, nothing written through a link."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from rkx.errors import Locked, Refused
from rkx.reconcile.filelock import FileLock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".cluster.rkxstate.lock"


def test_one_run_at_a_time(path: Path) -> None:
    first, second = FileLock(path), FileLock(path)
    first.take()
    with pytest.raises(Locked, match=f"process {os.getpid()}"):
        second.take()
    first.release()
    second.take()
    second.release()


def test_nothing_is_left_behind(path: Path) -> None:
    lock = FileLock(path)
    lock.take()
    assert path.stat().st_mode & 0o777 == 0o600
    lock.release()
    assert not path.exists()


def test_what_a_killed_run_left_is_no_lock(path: Path) -> None:
    path.write_text("process 1, which was killed long ago\n")
    lock = FileLock(path)
    lock.take()
    assert path.read_text() == f"process {os.getpid()}\n"
    lock.release()


@pytest.mark.parametrize("successor", [False, True])
def test_a_file_removed_while_it_was_opened_is_no_lock(
    path: Path, monkeypatch: pytest.MonkeyPatch, successor: bool
) -> None:
    """The holder gives the lock back between another's opening of the file and its lock on it."""
    first, second, third = FileLock(path), FileLock(path), FileLock(path)
    first.take()
    flock = fcntl.flock

    def late(handle: int, operation: int) -> None:
        monkeypatch.setattr(fcntl, "flock", flock)
        first.release()
        if successor:
            third.take()
        flock(handle, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    if successor:
        with pytest.raises(Locked):
            second.take()
        third.release()
    else:
        second.take()
        with pytest.raises(Locked):
            third.take()
        second.release()
    assert not path.exists()


@pytest.mark.parametrize("plant", [os.link, os.symlink])
def test_a_link_in_its_place_is_refused_and_not_written_through(
    tmp_path: Path, path: Path, plant: Callable[..., None]
) -> None:
    other = tmp_path / "other"
    other.write_text("precious")
    plant(other, path)
    with pytest.raises(Refused, match="is a link"):
        FileLock(path).take()
    assert other.read_text() == "precious"
    assert path.exists()
