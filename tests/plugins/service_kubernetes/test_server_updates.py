"""API servers are changed one at a time."""

from __future__ import annotations

import rkx
from rkx_service_kubernetes.server_updates import updates


def change(
    node: str, kind: type[rkx.action.CreateContainer | rkx.action.ReplaceContainer | rkx.action.RestartContainer]
) -> rkx.action.ContainerAction:
    return kind(key=rkx.ContainerKey(node, "kube-apiserver"), reason="")


def test_several_that_are_replaced_go_in_one_lane() -> None:
    found = updates([change("a", rkx.action.ReplaceContainer), change("b", rkx.action.RestartContainer)])
    assert found[0] == rkx.RolloutGroup(name="kube-apiserver", max_unavailable=1)
    assert [each.node for each in found if isinstance(each, rkx.NodeUpdate)] == ["a", "b"]


def test_one_alone_and_first_starts_need_no_turn() -> None:
    assert updates([change("a", rkx.action.ReplaceContainer)]) == []
    assert updates([change("a", rkx.action.CreateContainer), change("b", rkx.action.CreateContainer)]) == []
