"""The planner as a function of values: what is desired, what was observed, and the state."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.core.reconcile.values import (
    AGENT,
    FACTS,
    NO_OBJECTS,
    ONE,
    PLUGINS,
    STATE,
    container,
    desired,
    node,
)

import rkx
from rkx.errors import PreflightFailed
from rkx.model.action import (
    Action,
    CleanNode,
    CordonNode,
    CreateContainer,
    DeleteNode,
    DrainNode,
    PrepareNode,
    PullImage,
    RefreshObjects,
    RemoveContainer,
    ReplaceContainer,
    StartContainer,
    UncordonNode,
    UpdateContainer,
    WaitForNode,
)
from rkx.model.key import ContainerKey, NodeKey, ProgramKey
from rkx.model.plan import Confirmation
from rkx.reconcile import digest, plan_updates, planner
from rkx.reconcile.desired import Desired
from rkx.reconcile.observation import ObjectSnapshot, Observation
from rkx.reconcile.seen import SeenNode

WORD = digest.of_container(STATE.key, AGENT)


def actions(
    wanted: Desired, nodes: Mapping[str, SeenNode], objects: ObjectSnapshot | None = NO_OBJECTS
) -> list[Action]:
    found = planner.plan(PLUGINS, wanted, Observation(nodes=nodes, objects=objects), STATE)
    assert not isinstance(found, plan_updates.Unanswered)
    return [*found.actions]


def test_what_is_as_desired_needs_nothing() -> None:
    found = planner.plan(
        PLUGINS, desired(AGENT), Observation(nodes={"one": node(container(AGENT))}, objects=NO_OBJECTS), STATE
    )
    assert not isinstance(found, plan_updates.Unanswered)
    assert found.is_empty


def test_what_is_missing_is_created_after_its_image_is_pulled() -> None:
    pull = PullImage(node="one", image="agent:1", reason="not on the node")
    create = CreateContainer(key=AGENT.key, reason="missing", owner="service:tiny", after=(pull.key,))
    assert actions(desired(AGENT), {"one": node(images={})}) == [pull, create]
    assert actions(desired(AGENT), {"one": node()}) == [replace(create, after=())]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"state": "exited"}, StartContainer(key=AGENT.key, reason="is exited", owner=AGENT.owner)),
        ({"state": "dead"}, ReplaceContainer(key=AGENT.key, reason="is dead", owner=AGENT.owner)),
        (
            {"digest": "other"},
            ReplaceContainer(key=AGENT.key, reason="settings changed", owner=AGENT.owner),
        ),
        (
            {"restart_policy": "no"},
            UpdateContainer(key=AGENT.key, reason="restart policy is 'no'", owner=AGENT.owner),
        ),
    ],
)
def test_a_container_that_differs_is_brought_back(more: dict[str, str], expected: Action) -> None:
    assert actions(desired(AGENT), {"one": node(container(AGENT, **more))}) == [expected]


def test_a_node_without_rkx_node_is_prepared_first() -> None:
    prepare = PrepareNode(node="one", reason="missing")
    found = actions(desired(AGENT), {"one": node(files={})})
    assert found[0] == prepare
    assert found[1].after == (ProgramKey("one"),)


def test_a_container_of_the_cluster_that_nobody_wants_is_removed() -> None:
    former = replace(AGENT, name="former")
    removal = RemoveContainer(key=ContainerKey("one", "former"), reason="no longer wanted")
    assert actions(desired(), {"one": node(container(former))}) == [removal]


def test_a_node_that_left_the_file_is_deleted_before_its_machine_is_cleaned() -> None:
    found = planner.plan(
        PLUGINS,
        desired(nodes=(replace(ONE, name="two"),)),
        Observation(nodes={"one": node(container(AGENT))}, objects=NO_OBJECTS),
        STATE,
    )
    assert not isinstance(found, plan_updates.Unanswered)
    why = "no longer in cluster.yml"
    cordon = CordonNode(node="one", reason=why)
    drain = DrainNode(node="one", reason=why, after=(cordon.key,))
    leave = DeleteNode(key=NodeKey("one"), reason=why, after=(drain.key,))
    remove = RemoveContainer(key=AGENT.key, reason="the node is taken down", after=(leave.key,))
    clean = CleanNode(node="one", reason="the node is taken down", after=(leave.key, AGENT.key))
    assert [*found.actions] == [cordon, drain, leave, remove, clean]
    assert found.confirmations == (Confirmation(what="remove node one", why=planner.LEAVES),)


def test_objects_that_cannot_be_seen_are_looked_at_later() -> None:
    found = actions(desired(), {"one": node()}, objects=None)
    assert found == [RefreshObjects(reason="unknown until the API answers: up to 0 objects")]


def test_a_node_that_is_not_ready_is_waited_for() -> None:
    wanted = desired()
    metadata = rkx.NodeMetadata(node="one")
    wanted = replace(wanted, resources={metadata.key: metadata})
    assert actions(wanted, {"one": node()}) == [WaitForNode(node="one", reason="is not there")]


def of_nodes(**nodes: dict[str, object]) -> ObjectSnapshot:
    return ObjectSnapshot(nodes={name: {"metadata": more} for name, more in nodes.items()}, live={})


CORDONED: dict[str, object] = {"annotations": {"rkx/cordoned": "true"}}


def test_a_node_that_an_earlier_run_cordoned_takes_pods_again() -> None:
    found = actions(desired(AGENT), {"one": node(container(AGENT))}, of_nodes(one=CORDONED, other=CORDONED))
    assert found == [UncordonNode(node="one", reason="an earlier run cordoned it")]


def test_it_takes_pods_again_when_its_containers_are_as_they_should_be() -> None:
    create, uncordon = actions(desired(AGENT), {"one": node()}, of_nodes(one=CORDONED))
    assert isinstance(uncordon, UncordonNode)
    assert uncordon.after == (create.key,)


def test_a_node_that_its_operator_cordoned_stays_so() -> None:
    assert actions(desired(AGENT), {"one": node(container(AGENT))}, of_nodes(one={"annotations": {}})) == []


def test_a_clock_that_is_off_refuses_the_plan() -> None:
    with pytest.raises(PreflightFailed, match=r"one: its clock is \+40 s off"):
        actions(desired(), {"one": node(facts=replace(FACTS, clock_offset_s=40.0))})


@settings(deadline=None)
@given(st.lists(st.sampled_from("abcdef"), unique=True), st.lists(st.sampled_from("abcdef"), unique=True))
def test_the_plan_is_what_is_desired_less_what_is_there(wanted: list[str], there: list[str]) -> None:
    named = {name: replace(AGENT, name=name) for name in "abcdef"}
    found = actions(
        desired(*(named[name] for name in wanted)), {"one": node(*(container(named[name]) for name in there))}
    )
    assert {each.key.name for each in found if isinstance(each, CreateContainer)} == {*wanted} - {*there}
    assert {each.key.name for each in found if isinstance(each, RemoveContainer)} == {*there} - {*wanted}
    assert len(found) == len({*wanted} ^ {*there})
