"""A cluster's machines are its own: another cluster's, an exchanged one, and one under two names are refused."""

from __future__ import annotations

from collections import Counter

import pytest
from tests.core.reconcile.conftest import Make
from tests.core.reconcile.small import ROOT, Site

from rkx import api
from rkx.errors import PreflightFailed, Refused
from rkx.reconcile.node_image import image_tag
from rkx.testing.container import Box
from rkx.testing.machine import Entry
from rkx.testing.wire import Request, Response

pytestmark = pytest.mark.whole


def refused(site: Site, run: api.Run) -> str:
    """Return what a run was refused with; it must have changed nothing."""
    assert isinstance(run.error, Refused), run.error
    assert (run.exit_code, site.world.effects, site.world.changes()) == (8, [], [])
    return run.error.message


def test_removal_spares_a_machine_with_another_clusters_containers(running: Site) -> None:
    running.world.engines["two"].boxes["agent"].labels["rkx.cluster"] = "another"
    message = refused(running, running.remove())
    assert "two" in message
    assert "agent" in message


def new_docker(site: Site, node: str, *, machine: str = "") -> None:
    """Return a node a Docker that knows nothing of what was there; with ``machine``, on another machine."""
    world = site.world
    engine = world.engines[node]
    engine.id = "engine-anew"
    engine.boxes.clear()
    engine.images.clear()
    if machine:
        world.machines[node].files.clear()
        world.machines[node].id = machine


def test_docker_that_was_installed_anew_is_told_and_the_machine_prepared_anew(running: Site) -> None:
    new_docker(running, "two")
    planned = running.plan()
    assert [finding.node for finding in planned.findings] == ["two"]
    assert "engine-anew" in planned.findings[0].message
    assert ("prepare", "Docker's id changed") in {(action.verb, action.reason) for action in planned.actions}
    running.done()
    assert running.world.engines["two"].running("agent")
    assert running.planned() == []
    assert running.plan().findings == ()


@pytest.mark.parametrize("node", ["one", "two"])
def test_a_cluster_goes_from_a_machine_whose_docker_was_installed_anew(running: Site, node: str) -> None:
    new_docker(running, node)
    running.remove().wait()
    assert [engine.boxes for engine in running.world.engines.values()] == [{}, {}]
    for machine in running.world.machines.values():
        assert not [path for path in machine.files if path.startswith((f"{ROOT}/", "/var/lib/rkx/"))]


def test_containers_that_stayed_under_a_new_id_of_docker_stay(running: Site) -> None:
    running.world.engines["two"].id = "engine-anew"
    agent = running.world.engines["two"].boxes["agent"].id
    running.done()
    assert running.world.engines["two"].boxes["agent"].id == agent
    assert running.planned() == []


def test_another_machine_is_left_as_it_was_and_holds_up_no_other(running: Site) -> None:
    new_docker(running, "two", machine="stranger")
    running.service.flag = "--level=2"
    run = running.up()
    assert isinstance(run.error, Refused), run.error
    assert "two: another machine answers there: its machine id is stranger, not machine-two" in run.error.message
    assert "--replace two" in run.error.hint
    assert (running.world.engines["two"].boxes, running.world.engines["two"].images) == ({}, {})
    run = running.remove()
    assert run.exit_code == 8
    assert (running.world.engines["two"].boxes, running.world.engines["two"].images) == ({}, {})
    assert running.world.engines["one"].boxes == {}


def replacing(site: Site, *, accept: bool) -> api.Options:
    return api.Options(replace=frozenset(["two"]), accept=lambda dangers: accept)


def test_another_machine_takes_a_nodes_place_when_it_is_named_and_agreed_to(running: Site) -> None:
    new_docker(running, "two", machine="stranger")
    run = running.ended(api.up(running.project, replacing(running, accept=False)))
    assert run.exit_code == 8
    assert "replace node two" in str(run.error)
    assert (running.world.effects, running.state.nodes["two"].engine_id) == ([], "engine-of-two")
    running.ended(api.up(running.project, replacing(running, accept=True))).wait()
    facts = running.state.nodes["two"].facts
    assert facts is not None
    assert facts.machine_id == "stranger"
    assert running.world.engines["two"].running("agent")
    assert running.planned() == []


def test_a_machine_of_etcd_is_not_replaced(running: Site) -> None:
    new_docker(running, "one", machine="stranger")
    options = api.Options(replace=frozenset(["one"]), accept=lambda dangers: True)
    assert "that keeps the cluster's data cannot be replaced yet" in refused(
        running, running.ended(api.up(running.project, options))
    )


def test_a_name_that_no_node_has_is_not_replaced(running: Site) -> None:
    run = running.ended(api.up(running.project, api.Options(replace=frozenset(["tow"]))))
    assert run.exit_code == 3
    assert "--replace tow: no node has this name" in str(run.error)


def test_a_stranger_in_place_of_a_node_that_left_is_left_out(running: Site) -> None:
    running.world.engines["two"].id = "engine-of-a-stranger"
    running.write(["one"])
    run = running.up()
    assert run.exit_code == 7
    assert "two: Docker's id is engine-of-a-stranger, not engine-of-two" in str(run.error)
    assert running.world.engines["two"].running("agent")
    running.ended(api.up(running.project, replacing(running, accept=True))).wait()
    assert running.state.nodes.keys() == {"one"}


@pytest.mark.parametrize("label", ["of-another", ""])
def test_a_node_that_may_be_away_holds_up_no_other(running: Site, label: str) -> None:
    if label:
        running.world.engines["two"].boxes["agent"].labels["rkx.cluster"] = label
    else:
        running.world.engines["two"].id = running.world.engines["one"].id
    running.service.flag = "--level=2"
    run = running.up("two")
    assert run.exit_code == 7
    assert "--level=2" in running.world.engines["one"].boxes["agent"].config["Cmd"]
    assert "--level=1" in running.world.engines["two"].boxes["agent"].config["Cmd"]


def test_one_engine_under_two_names_is_refused_before_anything_is_put_on_it(site: Site) -> None:
    site.world.engines["two"].id = site.world.engines["one"].id
    site.world.engines["two"].says["Name"] = "one"
    message = refused(site, site.up())
    assert "two and one are one machine, or one is a copy" in message


def test_machines_copied_with_docker_inside_are_told_how_to_mend(site: Site) -> None:
    site.world.engines["two"].id = site.world.engines["one"].id
    run = site.up()
    assert "two and one are two machines with one Docker id" in refused(site, run)
    assert run.error is not None
    assert run.error.message.count("engine-of-one") == 1
    assert "delete engine-id" in getattr(run.error, "hint", "")


@pytest.mark.parametrize(("changed", "owner"), [("one", "two"), ("two", "one")])
def test_of_two_with_one_docker_id_the_state_knows_which_has_another_than_before(
    running: Site, changed: str, owner: str
) -> None:
    running.world.engines[changed].id = running.world.engines[owner].id
    run = running.up()
    said = f"{changed}: Docker's id is engine-of-{owner}, not engine-of-{changed}; it is that of {owner}"
    assert refused(running, run) == said
    assert f"--allow-unreachable {changed} leaves it aside" in getattr(run.error, "hint", "")


def test_the_docker_id_of_a_node_that_is_away_is_nobody_elses(make: Make) -> None:
    site = make("one", "two", "three")
    site.done()
    site.world.revive()
    site.world.silent.add("three")
    site.world.engines["two"].id = site.world.engines["three"].id
    said = "two: Docker's id is engine-of-three; it is that of three, which does not answer"
    run = site.up("three")
    assert refused(site, run) == said
    assert "--allow-unreachable two leaves it aside" in getattr(run.error, "hint", "")
    assert site.state.nodes["two"].engine_id == "engine-of-two"
    site.service.flag = "--level=2"
    assert site.up("two", "three").exit_code == 7
    assert "--level=2" in site.world.engines["one"].boxes["agent"].config["Cmd"]
    site.world.silent.clear()
    assert site.up("two").exit_code == 7
    assert "--level=2" in site.world.engines["three"].boxes["agent"].config["Cmd"]


def test_a_machine_that_was_given_another_name_is_refused(running: Site) -> None:
    """Cleaning the old name would take the new one down."""
    world = running.world
    world.engines["three"], world.machines["three"] = world.engines["two"], world.machines["two"]
    running.write(["one", "three"])
    assert "engine-of-two" in refused(running, running.up())


def left(site: Site, *names: str, label: str = "", state: str = "running") -> None:
    """Put containers that rkx did not make on node two; with ``label``, of RKE."""
    labels = {label: "any"} if label else {}
    boxes = {name: Box(name=name, config={"Image": "tools:1", "Labels": labels}, state=state) for name in names}
    site.world.engines["two"].boxes.update(boxes)


@pytest.mark.parametrize("state", ["running", "exited", "created"])
def test_containers_that_rke_left_are_named_and_refused_whatever_their_names(site: Site, state: str) -> None:
    left(site, "service-sidekick", "nginx-proxy", "agent", label="io.rancher.rke.container.name", state=state)
    run = site.up()
    assert isinstance(run.error, PreflightFailed), run.error
    assert (run.exit_code, site.world.effects, site.world.changes()) == (6, [], [])
    assert run.error.message == "two: containers made by RKE are on the machine: agent, nginx-proxy, service-sidekick"
    assert "with RKE first" in run.error.hint


def test_anybodys_container_is_refused_under_our_names_alone(site: Site) -> None:
    left(site, "agent", "web")
    run = site.up()
    assert isinstance(run.error, PreflightFailed), run.error
    assert (run.exit_code, site.world.effects) == (6, [])
    assert run.error.message == "two: a container 'agent' that rkx did not make is on the machine (tools:1)"


def test_files_of_a_cluster_that_nobody_knows_any_more_are_not_written_over(site: Site) -> None:
    lost = {path: Entry(content=b"another authority's") for path in (f"{ROOT}/config", f"{ROOT}/token")}
    for name in ("one", "two"):
        site.world.machines[name].files.update(lost)
    run = site.up()
    assert isinstance(run.error, Refused)
    assert f"one: {ROOT}/config and 1 more of another cluster" in run.error.message
    assert "two: " in run.error.message
    for name in ("one", "two"):
        files = site.world.machines[name].files
        assert {path: files[path] for path in lost} == lost


def test_removal_leaves_the_pods_of_a_machine_that_was_refused(site: Site) -> None:
    site.world.machines["two"].files[f"{ROOT}/config"] = Entry(content=b"another authority's")
    pod = Box(name="k8s_web", config={"Image": "agent:1", "Labels": {"io.kubernetes.pod.uid": "1"}}, state="running")
    site.world.engines["two"].boxes[pod.name] = pod
    assert isinstance(site.up().error, Refused)
    assert site.remove().error is None
    assert site.world.engines["two"].boxes == {pod.name: pod}
    assert f"{ROOT}/config" in site.world.machines["two"].files


@pytest.mark.parametrize("keeps_state", [True, False])
@pytest.mark.parametrize("allowed", [True, False])
def test_a_machine_that_is_lost_once_it_is_prepared_is_named_as_any_other(
    site: Site, *, allowed: bool, keeps_state: bool
) -> None:
    if keeps_state:
        site.file.write_text(site.file.read_text().replace("role: [worker]", "role: [controlplane, worker]"))

    def lose() -> None:
        if "/var/lib/rkx/bin/rkx-node" in site.world.machines["two"].files:
            site.world.silent.add("two")

    site.world.watcher = lose
    run = site.up(*(["two"] if allowed else []))
    assert run.exit_code == (7 if allowed else 4)
    assert "two" in str(run.error)
    assert site.world.engines["one"].running("agent") is allowed


@pytest.mark.parametrize("was_up", [True, False])
def test_a_machine_of_another_kind_at_the_second_look_holds_up_no_other(
    make: Make, monkeypatch: pytest.MonkeyPatch, *, was_up: bool
) -> None:
    monkeypatch.setattr("rkx.reconcile.node_image.program", _built_for_one_kind)
    image_tag.cache_clear()
    site = make("one", "two")
    if was_up:
        site.done()
        site.world.engines["one"].boxes.pop("rkx-node")
    engine = site.world.engines["two"]
    plain, looks = engine.answer, Counter[str]()

    def answer(request: Request) -> Response:
        looks[request.path] += 1
        engine.says = {"Architecture": "mips"} if looks["/info"] > 1 else {}
        return plain(request)

    engine.answer = answer  # type: ignore[method-assign]
    run = site.up("two")
    image_tag.cache_clear()
    assert run.exit_code == (0 if was_up else 7), run.error
    assert site.world.engines["one"].running("agent")


def _built_for_one_kind(architecture: str) -> bytes:
    if architecture == "mips":
        raise PreflightFailed(f"rkx-node for {architecture} was not built into this rkx")
    return b"rkx-node"
