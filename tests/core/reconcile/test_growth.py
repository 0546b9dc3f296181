"""Twice the nodes are twice the work: what each further node costs is counted, never timed."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from tests.core.reconcile.conftest import Make

from rkx import api
from rkx.model.action import RemoveContainer
from rkx.model.key import ContainerKey
from rkx.model.step import Step
from rkx.model.update import NodeUpdate, RolloutGroup
from rkx.reconcile import observe_and_plan
from rkx.reconcile.gather import gather
from rkx.reconcile.graph import Graph
from rkx.reconcile.rollout import RolloutQueue
from rkx.reconcile.units import Unit
from rkx.reconcile.updates import arranged
from rkx.reconcile.wait_budget import WaitBudget


def steps(work: Callable[[], object]) -> int:
    """Count the instructions of Python that this thread takes for it."""
    count = 0

    def traced(frame: FrameType, event: str, _argument: object) -> Any:  # noqa: ANN401 - as sys.settrace has it
        nonlocal count
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        count += event == "opcode"
        return traced

    before = sys.gettrace()
    gc.disable()  # what others left behind is no work of this one
    sys.settrace(traced)
    try:
        work()
    finally:
        sys.settrace(before)
        gc.enable()
    return count


def grows_straight(cost: Callable[[int], int], size: int) -> bool:
    """Return whether the third ``size`` costs no more than the second, give or take a hundredth."""
    _warm, first, second, third = (cost(times * size) for times in (1, 1, 2, 3))  # the first fills caches
    return third - second <= 1.01 * (second - first)


def named(count: int) -> list[str]:
    return [f"n{number:03}" for number in range(count)]


@pytest.mark.whole
@pytest.mark.parametrize("part", ["desired", "plan"])
def test_each_further_node_costs_a_plan_as_much_as_the_one_before(make: Make, part: str) -> None:
    def cost(count: int) -> int:
        site = make(*named(count))
        with api._opened(site.project, api.Options(), writes=False) as opened:
            if part == "desired":
                return steps(lambda: gather(opened.context, opened.observer.nodes))
            return steps(lambda: observe_and_plan.plan(opened))

    assert grows_straight(cost, 4)


def units(count: int) -> list[Unit]:
    """Return units of which each waits for two that come much later in the list."""
    keys = [ContainerKey(f"n{number}", "c") for number in range(count)]
    after = {number: tuple(keys[number + 1 : number + 3]) for number in range(count)}
    return [Unit(actions=(RemoveContainer(key=k, reason="", after=after[n]),)) for n, k in enumerate(keys)]


def test_a_graph_looks_at_each_unit_once_for_each_that_it_waits_for() -> None:
    def cost(count: int) -> int:
        graph = Graph(units(count), lambda _unit: (), WaitBudget(threading.Event()))
        found = steps(graph.run)
        assert graph.left == []
        return found

    assert grows_straight(cost, 40)


def rollout(count: int) -> RolloutQueue:
    """Return a group of so many updates, each of one container."""
    updates = [NodeUpdate(group="g", node=f"n{n}", keys=(ContainerKey(f"n{n}", "c"),)) for n in range(count)]
    return RolloutQueue([RolloutGroup(name="g")], updates, {key for each in updates for key in each.keys})


def test_an_update_finds_its_slot_without_a_look_at_all_others() -> None:
    def cost(count: int) -> int:
        made = rollout(count)

        def work() -> None:
            while admitted := made.admit():
                made.done([ContainerKey(slot.node, "c") for slot in admitted])

        return steps(work)

    assert grows_straight(cost, 20)


def test_steps_are_put_in_their_order_without_a_look_at_all_actions() -> None:
    def cost(count: int) -> int:
        actions = [each.actions[0] for each in units(count)][::-1]
        updates = [
            NodeUpdate(
                group="g",
                node=action.key.node,
                pre_steps=(Step(verb="before", subject="", reason=""),),
                keys=(ContainerKey(action.key.node, "c"),),
            )
            for action in actions
        ]
        return steps(lambda: arranged(actions, updates))

    assert grows_straight(cost, 20)
