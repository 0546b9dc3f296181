"""The graph of a run: order without a circle, failures that hold back what waits for them alone, and cancelling."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import Golden
from tests.core.reconcile.small import Site

from rkx.errors import ApplyFailed, PluginFault
from rkx.model.action import CreateContainer, RemoveContainer
from rkx.model.key import ContainerKey, Key
from rkx.reconcile.graph import PER_NODE, Graph
from rkx.reconcile.units import Unit, units
from rkx.reconcile.wait_budget import WaitBudget


def key(number: int) -> ContainerKey:
    return ContainerKey("one", f"c{number}")


def unit(number: int, *after: int) -> Unit:
    action = RemoveContainer(key=key(number), reason="", after=tuple(key(each) for each in after))
    return Unit(actions=(action,))


@st.composite
def graphs(draw: st.DrawFn) -> list[Unit]:
    """Units that each wait for some of those before them, in any order."""
    made = [
        unit(n, *draw(st.sets(st.integers(0, n - 1), max_size=3) if n else st.just(set())))
        for n in range(draw(st.integers(1, 8)))
    ]
    return draw(st.permutations(made))


@pytest.mark.whole
@given(graphs())
@settings(max_examples=40, deadline=None)
def test_each_unit_runs_once_after_what_it_waits_for(found: list[Unit]) -> None:
    order: list[Unit] = []
    graph = Graph(found, lambda each: order.append(each) or (), WaitBudget(threading.Event()))  # type: ignore[func-returns-value]
    graph.run()
    assert sorted(map(id, order)) == sorted(map(id, found))
    assert graph.left == []
    for place, each in enumerate(order):
        assert each.after <= {done for former in order[:place] for done in former.keys}


def failing(found: list[Unit], *numbers: int) -> Graph:
    def work(each: Unit) -> Sequence[Unit]:
        if each.keys & {key(number) for number in numbers}:
            raise ValueError(each)
        return ()

    graph = Graph(found, work, WaitBudget(threading.Event()))
    graph.run()
    return graph


def test_a_failure_holds_back_only_what_waits_for_it() -> None:
    found = [unit(0), unit(1, 0), unit(2, 1), unit(3), unit(4, 3)]
    graph = failing(found, 0)
    assert list(graph.failures) == [found[0]]
    assert graph.left == [found[1], found[2]]


@pytest.mark.whole
def test_a_run_does_what_it_can_and_names_what_is_left(site: Site) -> None:
    site.done()
    site.service.image = "agent:2"
    site.world.engines["two"].unpullable["agent:2"] = "manifest unknown"
    run = site.up()
    assert isinstance(run.error, ApplyFailed), run.error
    assert run.exit_code == 7
    assert list(run.error.failures) == ["pull two image agent:2"]
    assert "two: image agent:2 cannot be pulled: manifest unknown" in run.error.message
    assert run.error.left == ("replace two container agent",)
    assert run.error.hint.endswith("run rkx again to finish; not tried: replace two container agent")
    images = {name: engine.boxes["agent"].config["Image"] for name, engine in site.world.engines.items()}
    assert images == {"one": "agent:2", "two": "agent:1"}


def of_node(node: str, count: int) -> list[Unit]:
    keys = [ContainerKey(node, f"s{number}") for number in range(count)]
    return [Unit(actions=(RemoveContainer(key=each, reason=""),)) for each in keys]


def test_one_node_never_takes_all_threads() -> None:
    honest, waited = threading.Event(), list[bool]()

    def work(each: Unit) -> Sequence[Unit]:
        if each.node == "one":
            honest.set()
        else:
            waited.append(honest.wait(1.0))
        return ()

    graph = Graph([*of_node("two", 60), *of_node("one", 1)], work, WaitBudget(threading.Event()))
    graph.run()
    assert waited == [True] * 60
    assert (graph.failures, graph.left) == ({}, [])


def test_what_belongs_to_no_node_goes_on_together() -> None:
    together = threading.Barrier(PER_NODE + 4)

    def work(_each: Unit) -> Sequence[Unit]:
        together.wait(5.0)
        return ()

    graph = Graph(of_node("", PER_NODE + 4), work, WaitBudget(threading.Event()))
    graph.run()
    assert graph.failures == {}


def test_what_a_unit_returns_joins_the_graph() -> None:
    done: list[frozenset[Key]] = []

    def work(each: Unit) -> Sequence[Unit]:
        done.append(each.keys)
        return [unit(2, 1), unit(1)] if key(0) in each.keys else ()

    Graph([unit(0)], work, WaitBudget(threading.Event())).run()
    assert done == [{key(0)}, {key(1)}, {key(2)}]


def test_after_cancel_nothing_more_starts() -> None:
    cancelled = threading.Event()
    graph = Graph([unit(0), unit(1, 0)], lambda _each: cancelled.set() or (), WaitBudget(cancelled))  # type: ignore[func-returns-value]
    graph.run()
    assert [each.keys for each in graph.left] == [{key(1)}]
    assert graph.failures == {}


def test_a_plan_has_no_circle_and_is_in_order(site: Site) -> None:
    done: set[Key] = set()
    actions = site.plan().actions
    for action in actions:
        assert done.issuperset(action.after), f"{action.key} comes before what it waits for"
        done.add(action.key)
    assert len(done) == len(actions) > 20


def test_parts_that_wait_for_each_other_are_a_fault(site: Site) -> None:
    from msgspec.structs import replace

    from rkx.model.resource import Container
    from rkx.reconcile.desired import Desired
    from rkx.reconcile.order import order

    one = Container(node="one", name="a", image="i", argv=("a",), after=(ContainerKey("one", "b"),))
    other = replace(one, name="b", after=(one.key,))
    wanted = Desired(
        cluster=site.project.cluster,
        facts={},
        resources={each.key: each for each in (one, other)},
        objects={},
        health_checks=(),
        identities={},
        renewals=(),
        layouts={},
        leaving={},
        programs={},
    )
    actions = [CreateContainer(key=each.key, reason="") for each in (one, other)]
    with pytest.raises(PluginFault, match="wait for each other"):
        order(actions, wanted)


def test_all_files_of_a_node_are_one_unit(site: Site) -> None:
    batched = [each for each in units(site.plan().actions) if len(each.actions) > 1]
    assert [{action.key.node for action in each.actions} for each in batched] == [{"one"}, {"two"}]


@pytest.mark.whole
def test_the_order_of_hooks(site: Site, golden: Golden, monkeypatch: pytest.MonkeyPatch) -> None:
    from rkx.registry.calls import Calls, Chosen

    asked: list[str] = []

    def note(name: str) -> None:
        call = getattr(Calls, name)

        def noted(self: Calls, chosen: Chosen, hook: str, *rest: object, **arguments: object) -> object:
            node = arguments.get("node")
            asked.append(f"{hook} {chosen.ref.stage} {getattr(node, 'name', '')}".rstrip())
            return call(self, chosen, hook, *rest, **arguments)

        monkeypatch.setattr(Calls, name, noted)

    note("call")
    note("call_alone")
    site.done()
    first_transport = [each for each in asked if each.startswith("rkx_open_transport")]
    golden("hooks.txt", "\n".join([*sorted(first_transport), *(e for e in asked if e not in first_transport)]) + "\n")
