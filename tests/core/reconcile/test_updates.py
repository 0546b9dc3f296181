"""Steps of updates as actions of the plan: what waits for what, and what no plugin may say."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from tests.core.reconcile.values import desired

import rkx
from rkx.errors import PluginFault
from rkx.model.action import (
    Action,
    CordonNode,
    DrainNode,
    PullImage,
    RemoveContainer,
    TakeStep,
    UncordonNode,
    WaitForNode,
)
from rkx.model.key import HealthKey, Key, NodeKey, NodeStepKey, StepKey
from rkx.reconcile.order import order
from rkx.reconcile.updates import arranged, check

GROUPS = (rkx.RolloutGroup(name="g"),)


def key(node: str, name: str = "c") -> rkx.ContainerKey:
    return rkx.ContainerKey(node, name)


def removal(node: str, name: str = "c", *after: Key) -> Action:
    return RemoveContainer(key=key(node, name), reason="", after=after)


def step(node: str, verb: str) -> rkx.step.Step:
    return rkx.step.Step(verb=verb, subject=node, reason="why", owner="service:made")


def update(
    node: str, *names: str, group: str = "g", pre: tuple[str, ...] = (), post: tuple[str, ...] = ()
) -> rkx.NodeUpdate:
    return rkx.NodeUpdate(
        group="g",
        node=node,
        pre_steps=tuple(step(node, verb) for verb in pre),
        keys=tuple(key(node, name) for name in names),
        post_steps=tuple(step(node, verb) for verb in post),
        owner="service:made",
    )


def waits(actions: list[Action], *updates: rkx.NodeUpdate) -> dict[str, set[str]]:
    found = order(arranged(actions, updates), desired(), updates, GROUPS)
    return {str(action.key): {str(each) for each in action.after} for action in found}


def test_steps_go_one_by_one_around_what_is_claimed() -> None:
    found = waits([removal("a", "x"), removal("a", "y")], update("a", "x", "y", pre=("p", "q"), post=("r", "s")))
    assert found == {
        "a step p": set(),
        "a step q": {"a step p"},
        "a container x": {"a step q"},
        "a container y": {"a step q"},
        "a step r": {"a container x", "a container y"},
        "a step s": {"a step r"},
    }


def test_a_step_becomes_an_action_with_its_reason_and_owner() -> None:
    [taken] = arranged([], [update("a", pre=("p",))])
    assert taken == TakeStep(node="a", group="g", step=step("a", "p"), reason="why", owner="service:made")
    assert taken.key == StepKey("a", "g", "p", "a")


def test_an_update_may_consist_of_steps_alone() -> None:
    assert waits([], update("a", pre=("p",), post=("r",))) == {"a step p": set(), "a step r": {"a step p"}}


def test_what_nobody_plans_is_not_waited_for() -> None:
    assert waits([], update("a", "x", post=("r",))) == {"a step r": set()}


def test_the_first_step_waits_for_what_the_claimed_actions_need() -> None:
    pull = PullImage(node="a", image="new:1", reason="")
    found = waits([pull, removal("a", "x", pull.key)], update("a", "x", pre=("p",)))
    assert found["a step p"] == {"a image new:1"}


def test_the_first_step_waits_for_nothing_that_waits_for_a_claimed_action() -> None:
    pull = PullImage(node="a", image="new:1", reason="")
    between = removal("a", "between", key("a", "x"))
    actions = [pull, removal("a", "x", pull.key), between, removal("a", "y", between.key)]
    assert waits(actions, update("a", "x", "y", pre=("p",)))["a step p"] == {"a image new:1"}


def test_steps_of_core_stand_beside_those_of_a_plugin() -> None:
    around = rkx.NodeUpdate(
        group="g",
        node="a",
        pre_steps=(CordonNode(node="a", reason="upgrade"), DrainNode(node="a", reason="upgrade"), step("a", "p")),
        keys=(key("a", "x"),),
        post_steps=(WaitForNode(node="a", reason="upgrade"), UncordonNode(node="a", reason="upgrade")),
    )
    assert waits([removal("a", "x")], around) == {
        "step cordon a": set(),
        "step drain a": {"step cordon a"},
        "a step p": {"step drain a"},
        "a container x": {"a step p"},
        "health Node a": {"a container x"},
        "step uncordon a": {"health Node a"},
    }


def test_a_wait_that_is_planned_anyway_joins_its_step() -> None:
    other = removal("b", "z")
    wait = WaitForNode(node="a", reason="not ready", after=(other.key,))
    around = replace(update("a", "x"), post_steps=(WaitForNode(node="a", reason="upgrade"),))
    found = waits([other, wait, removal("a", "x")], around)
    assert found["health Node a"] == {"a container x", "b container z"}
    assert [str(HealthKey(NodeKey("a")))] == [name for name in found if "health" in name]


def test_a_group_that_holds_up_what_its_own_update_waits_for_is_a_fault() -> None:
    actions = [removal("b", "y"), removal("a", "x", key("b", "y"))]
    with pytest.raises(PluginFault, match=r"wait for each other.*a container x"):
        waits(actions, update("a", "x"), update("b", "y"))


@pytest.mark.parametrize(
    ("groups", "updates", "why"),
    [
        ([], [update("a")], "an update of a is in group 'g', not known"),
        ([rkx.RolloutGroup(name="g", after=("h",))], [], "rollout group 'h', after which another one goes"),
        ([rkx.RolloutGroup(name="g", max_unavailable=0)], [], "lets 0 updates in at a time"),
        ([*GROUPS, *GROUPS], [], "g is in two rollout groups"),
        (GROUPS, [update("a", "x"), update("a", "x")], "a container x is in two updates"),
        (GROUPS, [update("a", pre=("p",), post=("p",))], "a step p is in two updates"),
        (
            GROUPS,
            [replace(update("a", "x"), post_steps=(WaitForNode(node="b", reason="upgrade"),))],
            "an update of a has a step of b: health Node b",
        ),
        (
            [rkx.RolloutGroup(name="g", after=("h",)), rkx.RolloutGroup(name="h", after=("g",))],
            [],
            "these rollout groups wait for each other: [gh], [gh]",
        ),
    ],
)
def test_what_could_never_go_is_a_fault(
    groups: list[rkx.RolloutGroup], updates: list[rkx.NodeUpdate], why: str
) -> None:
    with pytest.raises(PluginFault, match=why):
        check(groups, updates)


def test_a_cordon_and_a_step_have_keys_of_their_own() -> None:
    keys: set[Key] = {NodeStepKey("a", "cordon"), NodeStepKey("a", "uncordon"), StepKey("a", "g", "cordon", "a")}
    assert len({str(each) for each in keys}) == len(keys)
