"""What is wrong with nodes, all at once, as values."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from tests.core.reconcile.values import AGENT, PLUGINS, STATE, container, desired, node

from rkx.errors import PreflightFailed, Problem, Refused
from rkx.reconcile.observe import RKE_LABEL
from rkx.reconcile.preflight import by_node, preflight, refuse_other_clusters
from rkx.reconcile.seen import SeenContainer, SeenNode


def judged(**nodes: SeenNode) -> dict[str, list[str]]:
    with pytest.raises(PreflightFailed) as caught:
        preflight(PLUGINS, desired(AGENT), nodes, STATE.cluster_id)
    return {name: [each.message for each in error.problems] for name, error in by_node(caught.value).items()}


def someone(name: str, **labels: str) -> SeenContainer:
    return SeenContainer(id="9", name=name, image="web:1", state="running", labels=labels)


def test_a_node_as_it_should_be_has_no_findings() -> None:
    assert preflight(PLUGINS, desired(AGENT), {"one": node(container(AGENT))}, STATE.cluster_id) == []


@pytest.mark.parametrize("offset_s", [31.0, -31.0])
def test_a_clock_that_is_off_beyond_its_error_is_named(offset_s: float) -> None:
    off = replace(node().facts, clock_offset_s=offset_s, clock_error_s=0.5)
    assert judged(one=node(facts=off)) == {"one": [f"its clock is {offset_s:+.0f} s off this computer's"]}
    unsure = replace(off, clock_error_s=2.0)
    assert preflight(PLUGINS, desired(AGENT), {"one": node(facts=unsure)}, STATE.cluster_id) == []


def test_containers_of_others_under_our_names_and_those_of_rke_are_named_on_each_node() -> None:
    found = judged(one=node(someone("agent")), two=node(someone("kubelet", **{RKE_LABEL: "kubelet"})))
    assert [*found] == ["one", "two"]
    assert "'agent'" in found["one"][0]
    assert "kubelet" in found["two"][0]
    assert preflight(PLUGINS, desired(AGENT), {"one": node(someone("web"))}, STATE.cluster_id) == []


def test_containers_of_another_cluster_are_refused() -> None:
    with pytest.raises(Refused, match="one carries containers of another cluster: agent"):
        refuse_other_clusters({"one": node(container(AGENT, cluster="other"))}, STATE.cluster_id)


def test_a_failure_is_taken_apart_by_node() -> None:
    problems = [Problem(where=where, message=where or "all") for where in ("two", "", "one", "two")]
    found = by_node(PreflightFailed("", problems=problems))
    assert {name: len(error.problems) for name, error in found.items()} == {"": 1, "one": 1, "two": 2}
