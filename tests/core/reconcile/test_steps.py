"""Taking steps of plugins: ask, let the plugin decide, act; until it is done, refused, or too late."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from tests.core.reconcile.values import CLUSTER

import rkx
from rkx.errors import ConnectFailed, Interrupted, NotReady, Refused
from rkx.hooks import Plugin
from rkx.model.cluster import PluginRef
from rkx.reconcile import steps
from rkx.reconcile.effects import Effects
from rkx.reconcile.state import new_state
from rkx.reconcile.state_store import StateStore
from rkx.reconcile.steps import Steps
from rkx.reconcile.wait_budget import WaitBudget
from rkx.registry import Chosen, Plugins
from rkx.testing.world import NoOptions


class Keeper(Plugin[NoOptions]):
    """Answers steps from a list, and notes them."""

    stage = "service"
    name = "keeper"
    Config = NoOptions

    def __init__(self, *verdicts: rkx.step.Verdict) -> None:
        super().__init__(NoOptions())
        self.verdicts, self.noted = list(verdicts), list[str]()
        self.results = list[dict[rkx.step.Effect, object]]()

    @rkx.hookimpl
    def rkx_step(
        self, step: rkx.step.Step, responses: rkx.step.Responses, results: rkx.step.Results
    ) -> rkx.step.Verdict:
        self.results.append({**results})
        self.noted.append(f"{step.verb} {step.subject} {sorted(answer.status for answer in responses.values())}")
        return self.verdicts.pop(0) if self.verdicts else rkx.step.Done()


OWNER = "service:keeper"
QUERY = rkx.step.NodeRequest(node="one", port=1, path="/", identity="nobody", authority="nobody")


STEP = rkx.step.Step(verb="enter", subject="one", reason="", queries=(QUERY,), owner=OWNER)


def nobody_broke_it() -> None:
    """Let the run go on."""


def make(keeper: Keeper, check: Callable[[], None] = nobody_broke_it) -> tuple[Steps, WaitBudget]:
    plugins = Plugins([Chosen(ref=PluginRef(stage="service", name="keeper"), plugin=keeper, owner="made")])
    budget = WaitBudget(threading.Event())
    effects = Effects({}, {}, StateStore(new_state(), None), (), budget, check)
    return Steps(plugins, CLUSTER, effects, budget), budget


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "POLL_S", 0.001)


def test_a_step_is_asked_again_until_it_is_done() -> None:
    keeper = Keeper(rkx.step.Wait(why="not yet"), rkx.step.Do(effects=(QUERY,)), rkx.step.Done())
    make(keeper)[0].take(STEP)
    assert keeper.noted == ["enter one [0]"] * 3
    assert keeper.results == [{}, {}, {QUERY: rkx.step.NodeResponse(status=0)}]


def test_a_task_on_a_node_that_is_not_there_ends_the_step() -> None:
    task = rkx.step.RunTask(node="away", image="tool:1", argv=("tool",))
    with pytest.raises(ConnectFailed, match="away: not reached, and a step needs it"):
        make(Keeper(rkx.step.Do(effects=(task,))))[0].take(STEP)


def test_a_step_does_nothing_once_the_lock_is_broken() -> None:
    def broken() -> None:
        raise Interrupted("another run broke this run's lock")

    keeper = Keeper(rkx.step.Do(effects=(QUERY,)))
    with pytest.raises(Interrupted):
        make(keeper, check=broken)[0].take(STEP)
    assert keeper.noted == ["enter one [0]"]


def test_a_patience_that_is_short_ends_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rkx.reconcile.wait_budget.AFTER_FAILURE_S", 0.02)
    made, budget = make(Keeper(*[rkx.step.Wait(why="no leader")] * 1000))
    budget.failed("one")
    with pytest.raises(NotReady, match="did not end: no leader"):
        made.take(STEP)


def test_what_a_step_refuses_is_refused() -> None:
    made, _ = make(Keeper(rkx.step.Refuse(why="the majority would be lost", hint="bring it up")))
    with pytest.raises(Refused, match="enter one: the majority would be lost") as caught:
        made.take(STEP)
    assert (caught.value.hint, caught.value.exit_code) == ("bring it up", 8)


def test_a_step_that_never_ends_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "STEP_TIMEOUT_S", 0.02)
    made, _ = make(Keeper(*[rkx.step.Wait(why="no leader")] * 1000))
    with pytest.raises(NotReady, match="did not end: no leader"):
        made.take(STEP)
