"""What a container was made from is compared by the files whose change restarts it, and by no others."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest
from msgspec.structs import replace

import rkx
from rkx.reconcile.content import reads_fingerprint
from rkx.reconcile.state import new_state

FOLDER = PurePosixPath("/etc/tiny")
CONTAINER = rkx.Container(
    node="one",
    name="agent",
    image="agent:1",
    argv=("agent",),
    reads=(rkx.Read(path=FOLDER), rkx.Read(path=FOLDER / "spare", on_change="nothing")),
)
FILES = [rkx.File(node="one", path=FOLDER / name, content=b"first") for name in ("config", "spare")]


@pytest.mark.parametrize(("name", "is_same"), [("config", False), ("spare", True)])
def test_a_file_whose_change_asks_for_nothing_does_not_count(name: str, *, is_same: bool) -> None:
    state = new_state()
    changed = [replace(each, content=b"second") if each.path.name == name else each for each in FILES]
    assert (reads_fingerprint(state, CONTAINER, FILES) == reads_fingerprint(state, CONTAINER, changed)) == is_same
