"""The state's file: closed to others, generations kept, what is cut leaves the former whole."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from rkx.engine.state import born, parse
from rkx.engine.state_file import KEPT, StateFile, path_beside
from rkx.errors import PartlyDone


def test_generations_are_kept_and_closed_to_others(tmp_path: Path) -> None:
    path, state = path_beside(tmp_path / "cluster.yml"), born()
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


@pytest.mark.parametrize("call", ["fsync", "open", "link", "rename"])
def test_a_full_disk_leaves_the_former_state_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    file = StateFile(tmp_path / "cluster.rkxstate")
    state = file.save(born())

    def full(*_arguments: object, **_more: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    file = StateFile(file.path)  # of the next run
    with monkeypatch.context() as patch:
        patch.setattr(os, call, full)
        with pytest.raises(PartlyDone, match="No space left"):
            file.save(state)
    assert file.load() == state
    assert file.save(state).generation == state.generation + 1
