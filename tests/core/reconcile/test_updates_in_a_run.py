"""Updates of nodes in a whole run: steps in the plan, slots of every width, cordons that a killed run left."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from tests.core.reconcile.conftest import Make
from tests.core.reconcile.small import Site, TinyService

import rkx
from rkx.events import ActionFinished, ActionStarted
from rkx.reconcile.cordon_marks import MARK

NODES = ("one", "two", "three", "four")


class Rolling(TinyService):
    """Replaces agents in a group, cordoned, drained and judged around; and takes further steps if it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.width, self.refused, self.alone = 1, "", tuple[rkx.NodeUpdate, ...]()
        self.asked: list[int] = []
        self.steps: list[str] = []

    @rkx.hookimpl
    def rkx_queries(self, changes: Sequence[rkx.action.ContainerAction]) -> Sequence[rkx.step.NodeRequest]:
        self.asked.append(len(changes))
        return []

    @rkx.hookimpl
    def rkx_updates(self, changes: Sequence[rkx.action.ContainerAction]) -> Sequence[rkx.NodeUpdate | rkx.RolloutGroup]:
        group = rkx.RolloutGroup(name="agents", max_unavailable=self.width)
        replaced = [change.key for change in changes if isinstance(change, rkx.action.ReplaceContainer)]
        return [group, *map(self._update, replaced), *self.alone]

    def _update(self, key: rkx.ContainerKey) -> rkx.NodeUpdate:
        node, why = key.node, "its agent changes"
        return rkx.NodeUpdate(
            group="agents",
            node=node,
            pre_steps=(
                rkx.action.CordonNode(node=node, reason=why),
                rkx.action.DrainNode(node=node, reason=why),
                rkx.step.Step(verb="guard", subject=node, reason=why),
            ),
            keys=(key,),
            post_steps=(rkx.action.WaitForNode(node=node, reason=why), rkx.action.UncordonNode(node=node, reason=why)),
        )

    @rkx.hookimpl
    def rkx_step(self, step: rkx.step.Step, responses: rkx.step.Responses) -> rkx.step.Verdict:
        self.steps.append(step.subject)
        is_late = self.steps.count(step.subject) > 1  # when the plan was made all was well
        return (
            rkx.step.Refuse(why="not now", hint="later")
            if is_late and step.subject == self.refused
            else rkx.step.Done()
        )


@pytest.fixture
def rolling(make: Make) -> tuple[Site, Rolling]:
    """Return a cluster of four nodes that is up, whose agents are to be replaced."""
    site, service = make(*NODES), Rolling()
    site.service = service
    site.done()
    service.flag = "--level=2"
    site.events.clear()
    return site, service


def spec(site: Site, node: str) -> tuple[object, object]:
    live = site.world.kube.objects[f"/api/v1/nodes/{node}"]
    return live["spec"].get("unschedulable"), live["metadata"].get("annotations") or {}


FREE: tuple[object, object] = (None, {})


@pytest.mark.whole
@pytest.mark.parametrize("width", [1, 2, 3, 4, 9])
def test_no_more_nodes_are_away_than_may_be_and_none_at_the_end(rolling: tuple[Site, Rolling], width: int) -> None:
    site, service = rolling
    service.width = width
    away: list[int] = []
    site.world.watcher = lambda: away.append(sum(spec(site, node) != FREE for node in NODES))
    site.done()
    assert max(away) <= width
    assert width > 1 or max(away) == 1
    assert all(spec(site, node) == FREE for node in NODES)
    assert site.planned() == []


@pytest.mark.whole
def test_each_step_is_in_the_plan_and_has_its_events(rolling: tuple[Site, Rolling]) -> None:
    site, _ = rolling
    steps = [
        "take step cordon two",
        "take step drain two",
        "take two step guard",
        "replace two container agent",
        "wait health Node two",
        "take step uncordon two",
    ]
    planned = [f"{action.verb} {action.key}" for action in site.plan().actions]
    assert [each for each in planned if "two" in each] == steps
    site.done()
    for kind in (ActionStarted, ActionFinished):
        told = [f"{event.verb} {event.key}" for event in site.events if isinstance(event, kind)]
        assert [each for each in told if "two" in each] == steps


@pytest.mark.whole
def test_a_step_that_refuses_lets_no_other_node_in(rolling: tuple[Site, Rolling]) -> None:
    site, service = rolling
    service.refused = "one"
    run = site.up()
    assert run.exit_code == 7
    assert "guard one: not now" in str(run.error)
    new = [name for name, engine in site.world.engines.items() if engine.boxes["agent"].config["Cmd"] == ["--level=2"]]
    assert new == ["four"]
    assert [spec(site, node)[0] for node in sorted(NODES)] == [None, True, None, None]


@pytest.mark.whole
def test_a_refusal_that_leaves_nothing_else_undone_is_one(rolling: tuple[Site, Rolling]) -> None:
    site, service = rolling
    service.refused = "two"
    run = site.up()
    assert run.exit_code == 8
    assert getattr(run.error, "hint", "") == "later"


@pytest.mark.whole
def test_the_next_run_lets_pods_on_what_a_killed_one_cordoned(rolling: tuple[Site, Rolling]) -> None:
    site, _ = rolling
    seen: list[str] = []

    def after_the_replacement() -> None:
        if "one remove agent-former" in site.world.effects and not seen:
            seen.append("cut")
            site.world.cut = (len(site.world.effects) + 1, "before")

    site.world.watcher = after_the_replacement
    site.up()
    site.world.watcher = lambda: None
    site.world.revive()
    assert spec(site, "one")[0] is True
    assert ("take", "step uncordon one", "an earlier run cordoned it") in site.planned()
    site.done()
    assert spec(site, "one") == FREE
    assert site.planned() == []


@pytest.mark.whole
def test_a_cordon_that_is_seen_once_the_api_answers_is_taken_back_in_the_same_run(
    rolling: tuple[Site, Rolling],
) -> None:
    site, _ = rolling
    site.done()
    site.world.kube.objects["/api/v1/nodes/two"]["spec"]["unschedulable"] = True
    site.world.kube.objects["/api/v1/nodes/two"]["metadata"].setdefault("annotations", {}).update({MARK: "true"})
    site.world.engines["one"].boxes["server"].state = "exited"
    site.done()
    assert spec(site, "two") == FREE


@pytest.mark.whole
def test_a_cordon_of_the_operator_stays(rolling: tuple[Site, Rolling]) -> None:
    site, _ = rolling
    site.world.kube.objects["/api/v1/nodes/two"]["spec"]["unschedulable"] = True
    site.done()
    assert spec(site, "two") == (True, {})
    assert site.planned() == []


@pytest.mark.whole
def test_an_update_of_steps_alone_is_planned_where_no_container_changes(rolling: tuple[Site, Rolling]) -> None:
    site, service = rolling
    site.done()
    assert site.planned() == []
    assert service.asked[-1] == 0
    step = rkx.step.Step(verb="compact", subject="two", reason="it is time")
    service.alone = (rkx.NodeUpdate(group="agents", node="two", pre_steps=(step,)),)
    assert site.planned() == [("take", "two step compact", "it is time")]
    site.events.clear()
    site.done()
    assert any(isinstance(event, ActionFinished) and event.key == "two step compact" for event in site.events)
