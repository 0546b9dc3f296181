"""A cluster's machines are its own: another cluster's, an exchanged one, and one under two names are refused."""

from __future__ import annotations

import pytest
from tests.core.engine.small import ROOT, Site

from rkx import api
from rkx.errors import PreflightFailed, Refused
from rkx.testing.docker import Box
from rkx.testing.machine import Entry


def refused(site: Site, run: api.Run) -> str:
    """Give what a run was refused with; it must have changed nothing."""
    assert isinstance(run.error, Refused), run.error
    assert (run.exit_code, site.world.effects, site.world.changes()) == (8, [], [])
    return run.error.message


def test_removal_spares_a_machine_with_another_clusters_containers(running: Site) -> None:
    running.world.engines["two"].boxes["agent"].labels["rkx.cluster"] = "another"
    message = refused(running, running.remove())
    assert "two" in message
    assert "agent" in message


def test_a_machine_that_was_exchanged_is_neither_changed_nor_cleaned(running: Site) -> None:
    running.world.engines["two"].id = "engine-of-a-stranger"
    for run in (running.remove(), running.up()):
        message = refused(running, run)
        assert "two" in message
        assert "engine-of-a-stranger" in message


def test_an_exchanged_machine_that_left_the_file_is_not_cleaned(running: Site) -> None:
    running.world.engines["two"].id = "engine-of-a-stranger"
    running.write(["one"])
    assert "engine-of-a-stranger" in refused(running, running.up())


def test_one_engine_under_two_names_is_refused_before_anything_is_put_on_it(site: Site) -> None:
    site.world.engines["two"].id = site.world.engines["one"].id
    message = refused(site, site.up())
    assert "one" in message
    assert "two" in message


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
    assert run.error.message == "two: containers that RKE made stand there: agent, nginx-proxy, service-sidekick"
    assert "with RKE first" in run.error.hint


def test_anybodys_container_is_refused_under_our_names_alone(site: Site) -> None:
    left(site, "agent", "web")
    run = site.up()
    assert isinstance(run.error, PreflightFailed), run.error
    assert (run.exit_code, site.world.effects) == (6, [])
    assert run.error.message == "two: a container 'agent' that rkx did not make stands there (tools:1)"


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
