"""Containers that neither run nor stand still: paused ones run on, those that end again and again are told of."""

from __future__ import annotations

import threading

import pytest
from tests.core.reconcile.small import Site

import rkx
from rkx.errors import NotReady
from rkx.testing import Server
from rkx.testing.world import answers

HEALTH = "tcp:127.0.0.1:10248"


@pytest.mark.whole
def test_a_paused_container_runs_on_without_a_restart(running: Site) -> None:
    box = running.world.engines["two"].boxes["agent"]
    was = box.started
    box.state = "paused"
    assert running.planned() == [("start", "two container agent", "is paused")]
    running.done()
    assert (box.state, box.started) == ("running", was)
    assert "two unpause agent" in running.world.effects
    assert running.planned() == []


@pytest.mark.whole
def test_a_container_that_ends_again_and_again_is_an_action_and_not_ready(
    running: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rkx.reconcile.probe.LOOK_S", 0.0)
    running.service.agent_probe = rkx.Probe(address=HEALTH)
    running.world.servers.append(Server(address=HEALTH, container="agent", application=answers({})))
    box = running.world.engines["two"].boxes["agent"]
    box.crashes, box.state = True, "restarting"
    assert running.planned() == [("start", "two container agent", "is restarting")]
    run = running.up()
    assert isinstance(run.error, NotReady), run.error
    assert run.exit_code == 9
    assert "two container agent" in run.error.message
    assert "its last words" in run.error.hint
    box.crashes = False
    box.state = "exited"
    running.done()
    assert running.planned() == []


@pytest.mark.whole
def test_what_needs_a_container_that_is_started_anew_is_seen_well_before_the_run_ends(running: Site) -> None:
    """Whoever loses the server ends, and the Engine takes its time to start it again."""
    running.service.agent_probe = rkx.Probe(address=HEALTH)
    running.world.servers.append(Server(address=HEALTH, container="agent", application=answers({})))
    running.done()
    agent = running.world.engines["two"].boxes["agent"]
    running.world.engines["one"].boxes["server"].state = "exited"
    waits = [(str(a.key), a.reason) for a in running.plan().actions if a.verb == "wait"]
    assert waits == [(f"health Container {node}/agent", "needs what is started") for node in ("one", "two")]
    ended = iter([True])

    def watch() -> None:
        if running.world.engines["one"].running("server") and next(ended, False):
            agent.state = "restarting"
            threading.Timer(0.5, agent.start).start()

    running.world.watcher = watch
    running.done()
    assert agent.state == "running"
    assert running.planned() == []


@pytest.mark.whole
def test_every_container_has_limited_logs_and_gains_no_rights(site: Site) -> None:
    site.done()
    created = [request for request in site.world.requests if request.path.endswith("/containers/create")]
    hosts = {r.query["name"]: r.json["HostConfig"] for r in created if r.json["Image"] == "agent:1"}
    assert hosts.keys() == {"agent", "server"}
    for host in hosts.values():
        assert host["LogConfig"] == {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "5"}}
        assert host["SecurityOpt"] == ["no-new-privileges"]
        assert (host["CapDrop"], host["CapAdd"], host["Privileged"]) == (["ALL"], [], False)
        assert host["RestartPolicy"]["Name"] == "always"
