"""Slots of rollout groups: as many updates in as may be and never more, none after a failure, groups in order."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rkx
from rkx.model.action import RemoveContainer
from rkx.model.key import ContainerKey, Key, SlotKey
from rkx.reconcile.graph import Graph
from rkx.reconcile.rollout import RolloutQueue
from rkx.reconcile.units import Unit
from rkx.reconcile.wait_budget import WaitBudget


def key(node: str) -> ContainerKey:
    return ContainerKey(node, "c")


def updates(group: str, *nodes: str) -> list[rkx.NodeUpdate]:
    return [rkx.NodeUpdate(group=group, node=node, keys=(key(node),)) for node in nodes]


def named(count: int) -> list[str]:
    return [f"n{number}" for number in range(count)]


def made(width: int, count: int) -> RolloutQueue:
    nodes = named(count)
    group = rkx.RolloutGroup(name="g", max_unavailable=width)
    return RolloutQueue([group], updates("g", *nodes), {key(node) for node in nodes})


WIDTHS, COUNTS = st.integers(1, 5), st.integers(0, 9)


@given(WIDTHS, COUNTS, st.data())
def test_as_many_are_in_as_may_be_in_the_order_of_the_plugin(width: int, count: int, data: st.DataObject) -> None:
    rollout, inside, came = made(width, count), list[SlotKey](), list[str]()
    while True:
        admitted = rollout.admit()
        inside += admitted
        came += [slot.node for slot in admitted]
        assert len(inside) == min(width, count - len(came) + len(inside))
        if not inside:
            break
        ended = data.draw(st.sampled_from(inside))
        inside.remove(ended)
        rollout.done([key(ended.node)])
    assert came == named(count)


@given(WIDTHS, COUNTS, st.data())
def test_after_a_failure_none_comes_in_and_those_inside_go_on(width: int, count: int, data: st.DataObject) -> None:
    rollout = made(width, count)
    inside = rollout.admit()
    for failed in inside[: data.draw(st.integers(1, 2))]:
        rollout.failed([key(failed.node)])
    for slot in inside:
        rollout.done([key(slot.node)])
        assert (rollout.admit() == []) == (inside != [])


def test_a_slot_is_free_when_all_actions_of_its_update_are_done() -> None:
    found = [rkx.NodeUpdate(group="g", node=n, keys=(key(n), ContainerKey(n, "d"))) for n in ("a", "b")]
    rollout = RolloutQueue([rkx.RolloutGroup(name="g")], found, {each for one in found for each in one.keys})
    assert [slot.node for slot in rollout.admit()] == ["a"]
    rollout.done([key("a")])
    assert rollout.admit() == []
    rollout.done([ContainerKey("a", "d")])
    assert [slot.node for slot in rollout.admit()] == ["b"]


CHAIN = [
    rkx.RolloutGroup(name="third", after=("second",)),
    rkx.RolloutGroup(name="second", max_unavailable=2, after=("first", "empty")),
    rkx.RolloutGroup(name="first"),
    rkx.RolloutGroup(name="empty", after=("first",)),
    rkx.RolloutGroup(name="apart"),
]


def chain() -> RolloutQueue:
    found = [*updates("third", "t"), *updates("second", "s", "s2"), *updates("first", "f"), *updates("apart", "x", "y")]
    return RolloutQueue(CHAIN, found, {key(each.node) for each in found})


def test_a_group_begins_when_those_before_it_are_complete() -> None:
    rollout = chain()
    assert {slot.node for slot in rollout.admit()} == {"f", "x"}
    rollout.done([key("f")])
    assert [slot.node for slot in rollout.admit()] == ["s", "s2"]
    rollout.done([key("s")])
    assert rollout.admit() == []
    rollout.done([key("s2")])
    assert [slot.node for slot in rollout.admit()] == ["t"]


def test_a_failure_closes_the_groups_after_its_own_and_no_other() -> None:
    rollout = chain()
    rollout.admit()
    rollout.failed([key("f")])
    rollout.done([key("x")])
    assert [slot.node for slot in rollout.admit()] == ["y"]


def test_what_is_not_planned_takes_no_slot() -> None:
    rollout = RolloutQueue([rkx.RolloutGroup(name="g")], updates("g", "a", "b"), {key("b")})
    assert [slot.node for slot in rollout.admit()] == ["b"]


def test_a_unit_of_an_update_waits_for_its_slot_and_no_other_does() -> None:
    rollout = RolloutQueue([rkx.RolloutGroup(name="g")], updates("g", "a"), {key("a"), key("b")})
    claimed, free = rollout.gated([unit("a"), unit("b")])
    assert claimed.after == {SlotKey("a", "g", 0)}
    assert free.after == frozenset()


def unit(node: str, *after: Key) -> Unit:
    return Unit(actions=(RemoveContainer(key=key(node), reason="", after=after),))


def run(work: Callable[[str], None], rollout: RolloutQueue, count: int) -> Graph:
    def do(each: Unit) -> Sequence[Unit]:
        work(each.node)
        return ()

    graph = Graph([unit(node) for node in named(count)], do, WaitBudget(threading.Event()), rollout)
    graph.run()
    return graph


def test_a_failure_of_the_first_lets_nobody_in_but_who_is_in_already(monkeypatch: pytest.MonkeyPatch) -> None:
    began, rollout, is_known = list[str](), made(2, 8), threading.Event()
    note = rollout.failed

    def failed(keys: Iterable[Key]) -> None:
        note(keys)
        is_known.set()

    def work(node: str) -> None:
        began.append(node)
        if node == "n0":
            raise ValueError(node)
        assert is_known.wait(5.0)

    monkeypatch.setattr(rollout, "failed", failed)
    graph = run(work, rollout, 8)
    assert sorted(began) == ["n0", "n1"]
    assert {each.node for each in graph.left} == {f"n{number}" for number in range(2, 8)}


def test_a_slow_update_holds_one_slot_and_no_other_one() -> None:
    others = threading.Semaphore(0)

    def work(node: str) -> None:
        if node == "n0":
            assert all(others.acquire(timeout=5.0) for _ in range(5))
        else:
            others.release()

    assert run(work, made(2, 6), 6).failures == {}


def test_what_an_update_waits_for_closes_its_group_when_it_fails() -> None:
    def work(each: Unit) -> Sequence[Unit]:
        if each.node == "image":
            raise ValueError(each.node)
        done.append(each.node)
        return ()

    done = list[str]()
    found = [unit("image"), unit("n0", key("image")), unit("n1"), unit("n2")]
    graph = Graph(found, work, WaitBudget(threading.Event()), made(1, 3))
    graph.run()
    assert done == []
    assert {each.node for each in graph.left} == {"n0", "n1", "n2"}


def test_an_update_that_waits_for_its_slot_holds_no_thread() -> None:
    together = threading.Barrier(2)

    def work(each: Unit) -> Sequence[Unit]:
        if each.node in ("n0", "free"):
            together.wait(5.0)
        return ()

    found = [*(unit(node) for node in named(60)), unit("free")]
    graph = Graph(found, work, WaitBudget(threading.Event()), made(1, 60))
    graph.run()
    assert (graph.failures, graph.left) == ({}, [])
