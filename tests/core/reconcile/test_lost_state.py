"""A state that is missing, old, or another's: found again or refused, and never a second CA over the first."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.core.reconcile.small import Site

from rkx import api
from rkx.errors import Refused
from rkx.events import ProblemFound
from rkx.reconcile.layout import STATE_COPY
from rkx.reconcile.state import State, new_state
from rkx.reconcile.state_file import StateFile
from rkx.reconcile.state_json import dump
from rkx.testing.machine import Entry
from rkx.testing.wire import HangUp, Request, Response

pytestmark = pytest.mark.whole


def file_of(site: Site) -> Path:
    return site.file.with_suffix(".rkxstate")


def lose(site: Site) -> None:
    for file in site.folder.glob("*.rkxstate*"):
        file.unlink()


def refused(run: api.Run) -> Refused:
    assert isinstance(run.error, Refused), run.error
    assert run.exit_code == 8
    return run.error


def test_a_silent_node_may_hold_the_only_copy(running: Site) -> None:
    lose(running)
    running.world.silent.add("one")
    error = refused(running.up("one"))
    assert error.message == f"{file_of(running)} is missing, and one, which may hold a copy of it, cannot be reached"
    assert error.hint == "bring these nodes or the state file back first"
    assert (running.world.effects, running.world.changes()) == ([], [])
    assert not file_of(running).exists()


def test_a_silent_node_that_keeps_no_copy_is_not_waited_for(running: Site) -> None:
    was = running.state.cluster_id
    lose(running)
    running.world.silent.add("two")
    running.up("two")
    assert running.state.cluster_id == was


def test_a_cluster_whose_state_is_nowhere_left_is_not_begun_anew(running: Site) -> None:
    lose(running)
    running.world.machines["one"].files.pop(STATE_COPY)
    error = refused(running.up())
    assert f"{file_of(running)} is missing" in error.message
    for node, names in (("one", "agent, rkx-host, rkx-node, server"), ("two", "agent, rkx-host, rkx-node")):
        assert f"{node} ({names})" in error.message
    assert "from a backup" in error.hint
    assert (running.world.effects, running.world.changes()) == ([], [])
    assert not file_of(running).exists()


def test_a_state_that_another_run_left_behind_is_refused_until_the_newer_one_is_taken(running: Site) -> None:
    older = file_of(running).read_bytes()
    running.service.flag = "--level=2"
    running.done()
    newer = running.state
    file_of(running).write_bytes(older)
    running.world.revive()
    running.service.flag = "--level=3"
    error = refused(running.up())
    assert f"is older than {newer.generation} on one" in error.message
    assert (running.world.effects, running.world.changes()) == ([], [])
    lose(running)  # as the hint has it
    running.done()
    assert running.state.generation > newer.generation
    assert running.planned() == []


def test_another_clusters_state_is_not_written_over(site: Site) -> None:
    machine, other, node = site.world.machines["one"], new_state(), "one"
    plant(site, node, other)
    error = refused(site.up())
    assert error.message == f"{node}: {STATE_COPY} is the state of another cluster, {other.cluster_id}"
    assert "copy it beside cluster.yml" in error.hint
    assert machine.files[STATE_COPY].content == dump(other)
    assert "agent" not in site.world.engines[node].boxes
    assert refused(site.remove()).message == error.message
    assert machine.files[STATE_COPY].content == dump(other)
    machine.files.pop(STATE_COPY)
    site.remove().wait()
    assert [engine.boxes for engine in site.world.engines.values()] == [{}, {}]


def plant(site: Site, node: str, state: State) -> None:
    machine = site.world.machines[node]
    machine.make_folder(str(Path(STATE_COPY).parent))
    machine.files[STATE_COPY] = Entry(content=dump(state), mode=0o600)


@pytest.mark.parametrize("born_before", [False, True])
def test_what_a_worker_has_as_another_clusters_state_is_told_and_passed_over(site: Site, *, born_before: bool) -> None:
    if born_before:
        site.done()
        del site.world.engines["two"].boxes["rkx-node"]
    plant(site, "two", new_state())
    site.events.clear()
    site.done()
    told = [event for event in site.events if isinstance(event, ProblemFound) and event.node == "two"]
    assert [event.message for event in told] == ["its copy of the state is ignored: a node with its roles keeps none"]
    assert [event.hint for event in told] == ["find out who put it there"]
    assert site.world.engines["two"].running("agent")
    assert site.planned() == []


def test_nobody_is_told_to_take_a_workers_file_as_the_state(running: Site) -> None:
    """One that was never prepared may be a machine of another cluster: its state is not deleted, and not taken."""
    plant(running, "two", new_state())
    nodes = {**running.state.nodes, "two": replace(running.state.nodes["two"], prepared=False)}
    StateFile(file_of(running)).save(replace(running.state, nodes=nodes))
    error = refused(running.remove())
    assert error.hint == "find out who put it there; if that cluster is gone, delete the file"


def test_a_worker_that_ends_each_look_holds_up_no_birth(site: Site) -> None:
    engine = site.world.engines["two"]
    plain = engine.answer

    def answer(request: Request) -> Response:
        if request.method == "GET" and request.path.endswith("/containers/json"):
            raise HangUp
        return plain(request)

    engine.answer = answer  # type: ignore[method-assign]
    run = site.up("two")
    assert (run.exit_code, site.world.engines["one"].running("server")) == (7, True)


def test_a_state_of_another_name_is_not_taken_for_this_clusters(running: Site) -> None:
    lose(running)
    with running.file.open("a") as file:
        file.write("cluster_name: another\n")
    running.__dict__.pop("project")
    error = refused(running.up())
    assert "cluster 'another' has no state here" in error.message
    assert running.world.effects == []
    assert StateFile(file_of(running)).load() is None
