"""The state's file: closed to others, generations kept, what is cut leaves the former whole."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.core.reconcile.small import Site

from rkx.errors import PartlyDone
from rkx.reconcile.state import new_state
from rkx.reconcile.state_file import KEPT, StateFile, path_beside
from rkx.reconcile.state_json import header, parse


def test_generations_are_kept_and_closed_to_others(tmp_path: Path) -> None:
    path, state = path_beside(tmp_path / "cluster.yml"), new_state()
    assert StateFile(path).load() is None
    for _ in range(KEPT + 3):
        file = StateFile(path)  # of a run, which keeps the generation that it found and none of its own
        state = file.save(file.save(state))
    found = sorted(tmp_path.iterdir())
    assert {each.name for each in found} == {
        f"cluster.rkxstate{end}" for end in ["", *(f".{n + 1}" for n in range(KEPT))]
    }
    assert {each.stat().st_mode & 0o777 for each in found} == {0o600}
    assert file.load() == state
    assert parse((tmp_path / "cluster.rkxstate.3").read_bytes(), "").generation == state.generation - 6
    file.delete()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("call", ["fsync", "open", "replace"])
def test_a_full_disk_leaves_the_former_state_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    file = StateFile(tmp_path / "cluster.rkxstate")
    state = file.save(new_state())

    def full(*_arguments: object, **_more: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    file = StateFile(file.path)  # of the next run
    with monkeypatch.context() as patch:
        patch.setattr(os, call, full)
        with pytest.raises(PartlyDone, match="No space left"):
            file.save(state)
    assert file.load() == state
    assert [each.name for each in tmp_path.iterdir()] == ["cluster.rkxstate"]
    assert file.save(state).generation == state.generation + 1


@pytest.fixture
def umask() -> Iterator[None]:
    """Take no right away from what is made, as some build machines do."""
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.mark.parametrize("plant", [os.link, os.symlink])
@pytest.mark.usefixtures("umask")
def test_what_lies_beside_a_state_is_not_written_through(tmp_path: Path, plant: Callable[..., None]) -> None:
    others = tmp_path / "others"
    others.write_text("theirs")
    others.chmod(0o666)
    file = StateFile(tmp_path / "cluster.rkxstate")
    for name in (".cluster.rkxstate.new", "cluster.rkxstate.1"):
        plant(others, tmp_path / name)
    StateFile(file.path).save(file.save(new_state()))
    assert others.read_text() == "theirs"
    for path in (file.path, tmp_path / "cluster.rkxstate.1"):
        assert (mode(path), path.stat().st_nlink, path.is_symlink()) == (0o600, 1, False)


def test_a_folder_without_links_and_modes_takes_generations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_arguments: object, **_more: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    def unknown(*_arguments: object) -> None:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    monkeypatch.setattr(os, "link", refused)
    monkeypatch.setattr(os, "fchmod", refused)
    sync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda each: unknown() if stat.S_ISDIR(os.fstat(each).st_mode) else sync(each))
    path, state = tmp_path / "cluster.rkxstate", new_state()
    for _ in range(3):
        state = StateFile(path).save(state)
    found = [header((tmp_path / f"cluster.rkxstate{end}").read_bytes()) for end in ("", ".1", ".2")]
    assert [each.generation for each in found if each] == [3, 2, 1]


def test_a_state_that_is_a_link_stays_one_with_its_generations_beside_its_end(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    (here / "cluster.rkxstate").symlink_to(there / "kept")
    state = StateFile(here / "cluster.rkxstate").save(new_state())
    StateFile(here / "cluster.rkxstate").save(state)
    assert [each.is_symlink() for each in here.iterdir()] == [True]
    assert sorted(each.name for each in there.iterdir()) == ["kept", "kept.1"]


def test_file_and_folder_are_synced_around_the_renaming(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    sync, move = os.fsync, os.replace

    def synced(handle: int) -> None:
        done.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")
        sync(handle)

    def moved(source: str, target: Path) -> None:
        done.append("moved")
        move(source, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", moved)
    StateFile(tmp_path / "cluster.rkxstate").save(new_state())
    assert done == ["file", "moved", "folder"]


def test_what_a_killed_save_left_goes_with_the_next_run(running: Site) -> None:
    left = [
        ".cluster.rkxstate.a1b2c3d_.new",
        ".cluster.rkxstate.1.a1b2c3d_.new",
        ".kube_config_cluster.yml.a1b2c3d_.new",
    ]
    kept = [".cluster.rkxstate.mine.new", ".other.rkxstate.a1b2c3d_.new"]
    for name in (*left, *kept):
        (running.folder / name).write_text("a key")
    (running.folder / ".cluster.rkxstate.linked00.new").symlink_to(running.file)
    running.done()
    assert {each.name for each in running.folder.glob(".*")} == {*kept, ".cluster.rkxstate.linked00.new"}


def test_nothing_of_rkx_is_left_when_the_cluster_is_gone(running: Site) -> None:
    running.remove().wait()
    assert [each.name for each in running.folder.iterdir()] == ["cluster.yml"]


def test_a_state_that_others_may_read_is_closed(running: Site) -> None:
    path = running.file.with_suffix(".rkxstate")
    path.chmod(0o664)
    running.plan()
    assert mode(path) == 0o600


def test_a_colleagues_state_is_read_with_a_warning(running: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    path = running.file.with_suffix(".rkxstate")
    path.chmod(0o640)
    monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)
    file = StateFile(path)
    assert file.load() is not None
    assert mode(path) == 0o640
    assert [(each.where, each.warning) for each in file.warnings] == [(str(path), True)]
    assert "may be read by others: its mode is 0640" in file.warnings[0].message
    path.chmod(0o600)
    file.load()
    assert file.warnings == ()
