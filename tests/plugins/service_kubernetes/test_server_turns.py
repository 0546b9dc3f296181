"""API servers are changed one at a time."""

from __future__ import annotations

from typing import Literal

import rkx
from rkx_service_kubernetes.server_turns import turns


def change(node: str, verb: Literal["create", "replace", "restart"]) -> rkx.Action:
    return rkx.Action(verb=verb, key=rkx.Key(node, "Container", "kube-apiserver"), reason="")


def test_several_that_are_replaced_go_in_one_lane() -> None:
    found = turns([change("a", "replace"), change("b", "restart")])
    assert found[0] == rkx.Lane(name="kube-apiserver", width=1)
    assert [each.node for each in found if isinstance(each, rkx.Turn)] == ["a", "b"]


def test_one_alone_and_first_starts_need_no_turn() -> None:
    assert turns([change("a", "replace")]) == []
    assert turns([change("a", "create"), change("b", "create")]) == []
