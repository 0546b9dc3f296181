"""Waits are as long as they say, until something fails: then the bad news must not wait for them."""

from __future__ import annotations

import threading
import time

import pytest

from rkx.model.action import Action, DeleteObject, RemoveContainer, SetNodeMetadata, WaitForNode
from rkx.model.key import ContainerKey, NodeKey, ObjectKey
from rkx.reconcile.graph import Graph
from rkx.reconcile.units import Unit
from rkx.reconcile.wait_budget import AFTER_FAILURE_S, WaitBudget


@pytest.fixture
def budget() -> WaitBudget:
    """The budget of a run in which nothing has failed."""
    return WaitBudget(threading.Event())


def test_a_wait_lasts_as_long_as_it_says(budget: WaitBudget) -> None:
    now = time.monotonic()
    assert budget.left(now, 120) == pytest.approx(120, abs=1)
    assert budget.left(now - 121, 120) == 0


def test_after_a_failure_no_wait_lasts_longer_than_its_rest(budget: WaitBudget) -> None:
    budget.failed("one")
    now = time.monotonic()
    assert budget.left(now - 60, 120) == pytest.approx(AFTER_FAILURE_S, abs=1)
    assert budget.left(now - 119, 120) == pytest.approx(1, abs=1)


def test_a_wait_that_begins_after_a_failure_has_its_time_too(budget: WaitBudget) -> None:
    budget.failed("one")
    assert budget.left(time.monotonic() + 5, 120) == pytest.approx(5 + AFTER_FAILURE_S, abs=1)


def test_a_unit_that_fails_ends_the_patience_of_the_others(budget: WaitBudget) -> None:
    def work(_unit: Unit) -> tuple[Unit, ...]:
        raise ValueError

    unit = Unit(actions=(RemoveContainer(key=ContainerKey("one", "a"), reason=""),))
    Graph([unit], work, budget).run()
    assert budget.left(time.monotonic(), 120) <= AFTER_FAILURE_S


@pytest.mark.parametrize(
    ("action", "counts"),
    [
        (RemoveContainer(key=ContainerKey("two", "a"), reason=""), False),
        (SetNodeMetadata(key=NodeKey("two"), reason=""), False),
        (WaitForNode(node="two", reason=""), False),
        (SetNodeMetadata(key=NodeKey("one"), reason=""), True),
        (DeleteObject(key=ObjectKey("", "ConfigMap", "", "two"), reason=""), True),
    ],
)
def test_what_fails_on_a_node_that_may_be_away_shortens_no_other_wait(action: Action, *, counts: bool) -> None:
    def work(_unit: Unit) -> tuple[Unit, ...]:
        raise ValueError

    budget = WaitBudget(threading.Event(), frozenset({"two"}))
    Graph([Unit(actions=(action,))], work, budget).run()
    assert (budget.left(time.monotonic(), 120) <= AFTER_FAILURE_S) is counts
