"""Updates: steps before a node's first change and after its last, one node after the other in a group."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import pytest

import rkx
from rkx.engine import updates
from rkx.engine.ledger import Ledger
from rkx.engine.patience import Patience
from rkx.engine.state import born
from rkx.engine.units import Unit
from rkx.engine.updates import Updates
from rkx.errors import Interrupted, NotReady, Refused
from rkx.model.cluster import PluginRef
from rkx.registry import Chosen, Plugins
from rkx.testing.world import NoOptions


class Keeper(rkx.ServicePlugin[NoOptions]):
    """Answers steps from a list, and notes them."""

    name = "keeper"
    Config = NoOptions

    def __init__(self, *verdicts: rkx.Verdict) -> None:
        super().__init__(NoOptions())
        self.verdicts, self.noted = list(verdicts), list[str]()

    @rkx.hookimpl
    def rkx_service_resources(
        self,
        cluster: rkx.Cluster,
        node: rkx.Node,
        facts: rkx.Facts,
        auth: rkx.AuthSettings,
        network: rkx.NetworkSettings,
    ) -> Sequence[rkx.Resource]:
        return []

    @rkx.hookimpl
    def rkx_step(self, step: rkx.Step, responses: rkx.Responses) -> rkx.Verdict:
        self.noted.append(f"{step.verb} {step.subject} {sorted(answer.status for answer in responses.values())}")
        return self.verdicts.pop(0) if self.verdicts else rkx.Done()


OWNER = "service:keeper"
QUERY = rkx.NodeRequest(node="one", port=1, path="/", identity="nobody", authority="nobody")


def key(node: str, name: str) -> rkx.ContainerKey:
    return rkx.ContainerKey(node, name)


def unit(*keys: rkx.ContainerKey) -> Unit:
    return Unit(actions=tuple(rkx.RemoveContainer(key=each, reason="") for each in keys))


def update(node: str) -> rkx.NodeUpdate:
    def step(verb: str) -> tuple[rkx.Step, ...]:
        return (rkx.Step(verb=verb, subject=node, reason="", queries=(QUERY,), owner=OWNER),)

    keys = (key(node, "a"), key(node, "b"), key(node, "not planned"))
    return rkx.NodeUpdate(
        group="group", node=node, pre_steps=step("enter"), keys=keys, post_steps=step("leave"), owner=OWNER
    )


def nobody_broke_it() -> None:
    """Let the run go on."""


def make(
    keeper: Keeper, *nodes: str, width: int = 1, check: Callable[[], None] = nobody_broke_it
) -> tuple[Updates, list[Unit]]:
    units = [unit(key(node, name)) for node in nodes for name in ("a", "b")]
    plan = rkx.Plan(
        cluster="sample",
        actions=tuple(action for each in units for action in each.actions),
        updates=tuple(update(node) for node in nodes),
        groups=(rkx.RolloutGroup(name="group", max_unavailable=width),),
    )
    plugins = Plugins([Chosen(ref=PluginRef(stage="service", name="keeper"), plugin=keeper, owner="made")])
    return Updates(plugins, plan, {}, Ledger(born(), None), Patience(threading.Event()), check), units


def test_enter_once_before_the_first_unit_and_leave_after_the_last() -> None:
    keeper = Keeper()
    made, [a, b] = make(keeper, "one")
    made.enter(a)
    assert keeper.noted == ["enter one [0]"]
    made.enter(b)
    made.leave(b)
    assert keeper.noted == ["enter one [0]"]
    made.leave(a)
    assert keeper.noted == ["enter one [0]", "leave one [0]"]


def test_a_unit_that_no_turn_claims_goes_at_once() -> None:
    keeper = Keeper()
    made, _ = make(keeper, "one")
    free = unit(key("two", "free"))
    made.enter(free)
    made.leave(free)
    assert keeper.noted == []
    assert made.arranged([free]) == [free]


@pytest.mark.parametrize(("width", "waits"), [(1, ["", "one", "two"]), (2, ["", "", "one"]), (3, ["", "", ""])])
def test_a_lane_lets_so_many_in_at_a_time(width: int, waits: list[str]) -> None:
    made, units = make(Keeper(), "one", "two", "three", width=width)
    arranged = made.arranged(units)
    for number, node in enumerate(waits):
        expected = {key(node, "a"), key(node, "b")} if node else set()
        assert [each.after for each in arranged[2 * number : 2 * number + 2]] == [expected, expected]


def test_a_step_is_asked_again_until_it_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(updates, "POLL_S", 0.001)
    keeper = Keeper(rkx.Wait(why="not yet"), rkx.Do(requests=(QUERY,)), rkx.Done())
    made, [a, _] = make(keeper, "one")
    made.enter(a)
    assert keeper.noted == ["enter one [0]"] * 3


def test_a_step_does_nothing_once_the_lock_is_broken() -> None:
    def broken() -> None:
        raise Interrupted("another run broke this run's lock")

    keeper = Keeper(rkx.Do(requests=(QUERY,)))
    made, [a, _] = make(keeper, "one", check=broken)
    with pytest.raises(Interrupted):
        made.enter(a)
    assert keeper.noted == ["enter one [0]"]


def test_a_patience_that_is_short_ends_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rkx.engine.patience.AFTER_FAILURE_S", 0.02)
    monkeypatch.setattr(updates, "POLL_S", 0.001)
    made, [a, _] = make(Keeper(*[rkx.Wait(why="no leader")] * 1000), "one")
    made._patience.failed("one")
    with pytest.raises(NotReady, match="did not end: no leader"):
        made.enter(a)


def test_what_a_step_refuses_stops_the_turn() -> None:
    made, [a, _] = make(Keeper(rkx.Refuse(why="the majority would be lost", hint="bring it up")), "one")
    with pytest.raises(Refused, match="enter one: the majority would be lost") as caught:
        made.enter(a)
    assert (caught.value.hint, caught.value.exit_code) == ("bring it up", 8)


def test_a_step_that_never_ends_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(updates, "STEP_TIMEOUT_S", 0.02)
    monkeypatch.setattr(updates, "POLL_S", 0.001)
    keeper = Keeper(*[rkx.Wait(why="no leader")] * 1000)
    made, [a, _] = make(keeper, "one")
    with pytest.raises(NotReady, match="did not end: no leader"):
        made.enter(a)
