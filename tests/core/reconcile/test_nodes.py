"""Nodes as the API shows them: their taints, and one that does not become Ready."""

from __future__ import annotations

from typing import Any

import pytest
from tests.core.reconcile.small import Site

import rkx
from rkx.errors import NotReady

OURS = rkx.Taint(key="tiny", value="yes")
THEIRS = {"key": "theirs", "value": "", "effect": "NoExecute"}
NOT_READY = {"conditions": [{"type": "Ready", "status": "False", "message": "no network yet"}]}


@pytest.fixture
def tainted(site: Site) -> Site:
    """Return a cluster whose nodes carry one taint of ours each, and node two one of somebody else's."""
    site.service.taints = (OURS,)
    site.done()
    node(site)["spec"]["taints"].append(THEIRS)
    return site


def node(site: Site) -> dict[str, Any]:
    return site.world.kube.objects["/api/v1/nodes/two"]


def taints(site: Site) -> list[tuple[str, str, str]]:
    return [(each["key"], each["value"], each["effect"]) for each in node(site)["spec"]["taints"]]


def test_a_node_whose_object_was_deleted_registers_again(running: Site) -> None:
    del running.world.kube.objects["/api/v1/nodes/two"]
    assert ("restart", "two container agent", "its Node object is missing") in running.planned()
    running.done()
    assert node(running)["metadata"]["labels"]["tiny"] == "yes"
    assert running.planned() == []


@pytest.mark.whole
def test_a_taint_of_others_is_no_drift(tainted: Site) -> None:
    assert tainted.planned() == []


@pytest.mark.whole
@pytest.mark.parametrize("left", [[], [{**THEIRS}], [THEIRS, {"key": "tiny", "value": "no", "effect": "NoSchedule"}]])
def test_a_taint_that_was_taken_away_is_set_again(tainted: Site, left: list[dict[str, str]]) -> None:
    node(tainted)["spec"]["taints"] = left
    assert tainted.planned() == [("update", "node two", "taint tiny is missing")]
    tainted.done()
    kept = [(each["key"], each["value"], each["effect"]) for each in left]
    assert taints(tainted) == sorted([*kept, ("tiny", "yes", "NoSchedule")])
    assert tainted.planned() == []


@pytest.mark.whole
def test_a_taint_that_nobody_wants_any_more_goes_alone(tainted: Site) -> None:
    tainted.service.taints = ()
    assert ("update", "node two", "taint tiny is no longer wanted") in tainted.planned()
    tainted.done()
    assert taints(tainted) == [("theirs", "", "NoExecute")]
    assert tainted.planned() == []


@pytest.mark.whole
def test_a_node_that_stays_not_ready_is_told_with_its_agents_last_words(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.done()
    monkeypatch.setattr("rkx.reconcile.object_waits.NODE_TIMEOUT_S", 0.2)
    node(site)["status"] = NOT_READY
    assert ("wait", "health Node two", "no network yet") in site.planned()
    run = site.up()
    assert isinstance(run.error, NotReady), run.error
    assert run.exit_code == 9
    assert run.error.message.startswith("Node two was not healthy within")
    assert run.error.message.endswith("no network yet")
    assert run.error.hint == "the last lines of agent:\nits last words"


@pytest.mark.whole
def test_nodes_that_never_become_ready_leave_nothing_undone(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs on every node waits for them, but is no change."""
    monkeypatch.setattr("rkx.reconcile.object_waits.NODE_TIMEOUT_S", 0.2)
    site.world.kube.statuses["Node"] = NOT_READY
    run = site.up()
    assert isinstance(run.error, NotReady), run.error
    assert run.exit_code == 9
    for name in site.names:
        assert f"wait health Node {name}: Node {name} was not healthy" in run.error.message
        assert f"wait health Node {name}: the last lines of agent:\nits last words" in run.error.hint
        assert site.world.engines[name].running("agent")
