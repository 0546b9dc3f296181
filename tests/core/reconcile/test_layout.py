"""Folders of a node: as many as plugins describe, and no more of those that a node shows."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

import rkx
from rkx.errors import PluginFault
from rkx.reconcile.desired import layout
from rkx.reconcile.layout import MOST_FOLDERS, Layout


def folders(count: int) -> list[rkx.Resource]:
    return [rkx.Folder(node="one", path=PurePosixPath(f"/f{number}")) for number in range(count)]


def test_labels_bring_a_layout_back_and_no_more_folders_than_there_may_be() -> None:
    most = layout(folders(MOST_FOLDERS), "one")
    assert Layout.of_labels(most.labels) == most
    many = Layout.of_labels({"rkx.read": ":".join(f"/r{number}" for number in range(9999)), "rkx.guard": "/a:/a::/b"})
    assert (len(many.read), many.guard) == (MOST_FOLDERS, ("/a", "/b"))


def test_more_folders_than_there_may_be_are_a_plugins_fault() -> None:
    with pytest.raises(PluginFault, match="one: 101 folders are described, and 100 are the most on a node"):
        layout(folders(MOST_FOLDERS + 1), "one")
