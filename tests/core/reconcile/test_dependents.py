"""Containers that need what a plan starts are waited for, near and far, and no others."""

from __future__ import annotations

from msgspec.structs import replace
from tests.core.reconcile.values import AGENT, desired

import rkx
from rkx.model.action import RestartContainer, WaitForContainer
from rkx.reconcile.dependents import await_dependents

PROBE = rkx.Probe(address="tcp:127.0.0.1:1")
NEAR = replace(AGENT, name="near", after=(AGENT.key,), probe=PROBE)
FAR = replace(AGENT, name="far", after=(NEAR.key,), probe=PROBE)
APART = replace(AGENT, name="apart", probe=PROBE)
WITHOUT = replace(AGENT, name="without", after=(AGENT.key,))
RESTART = RestartContainer(key=AGENT.key, reason="its file changed")


def wait(container: rkx.Container) -> WaitForContainer:
    return WaitForContainer(
        container=container.key, reason="needs what is started", owner=container.owner, after=(AGENT.key,)
    )


def test_who_needs_what_is_started_is_waited_for() -> None:
    wanted = desired(AGENT, NEAR, FAR, APART, WITHOUT)
    assert [*await_dependents(wanted, [RESTART], {"one"})] == [wait(NEAR), wait(FAR)]


def test_who_is_changed_by_the_plan_is_waited_for_by_that() -> None:
    changed = RestartContainer(key=NEAR.key, reason="its file changed")
    found = await_dependents(desired(AGENT, NEAR, FAR), [RESTART, changed], {"one"})
    assert [each.container.name for each in found] == ["far"]


def test_nobody_waits_where_nothing_is_started_or_the_node_is_away() -> None:
    assert [*await_dependents(desired(AGENT, NEAR), [], {"one"})] == []
    assert [*await_dependents(desired(AGENT, NEAR), [RESTART], set())] == []
