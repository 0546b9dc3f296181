"""What is deleted from the API: only what rkx made, and pods as their budgets let them go."""

from __future__ import annotations

import gc
import socket
from collections.abc import Sequence

import pytest
from msgspec.structs import replace
from tests.core.reconcile.small import MANIFEST, READY, Site, silent

import rkx
from rkx import api
from rkx.errors import ConfigError, PartlyDone, RkxError
from rkx.model.plan import Confirmation
from rkx.testing import FakeWorld, Server
from rkx.testing.kube import Body
from rkx.testing.wire import Request, Response

NAMESPACE, SETTINGS, DAEMON_SET = (f"{part}---\n" for part in MANIFEST.split("---\n"))
SPACE_PATH = "/api/v1/namespaces/tiny"
SETTINGS_PATH = f"{SPACE_PATH}/configmaps/settings"
POD_PATH = f"{SPACE_PATH}/pods/web"


def kept(site: Site, path: str) -> bool:
    return path in site.world.kube.objects


def test_an_object_that_rkx_made_goes_when_nobody_wants_it(running: Site) -> None:
    running.network.manifest = NAMESPACE + DAEMON_SET
    assert running.planned() == [("remove", "configmap tiny/settings", "no longer wanted")]
    running.done()
    assert not kept(running, SETTINGS_PATH)


@pytest.mark.whole
@pytest.mark.parametrize("changed", [False, True])
def test_an_object_that_was_there_before_is_never_deleted(site: Site, *, changed: bool) -> None:
    found: Body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {}}
    site.world.kube.objects[SETTINGS_PATH] = found
    site.done()
    assert site.world.kube.objects[SETTINGS_PATH]["data"] == {"colour": "blue"}
    if changed:  # an object that was adopted stays so when it is applied anew
        site.network.colour = "red"
        site.done()
    site.network.manifest = NAMESPACE + DAEMON_SET
    assert site.planned() == []
    site.done()
    assert kept(site, SETTINGS_PATH)


def test_other_objects_are_deleted_without_a_question(running: Site) -> None:
    running.network.manifest = NAMESPACE + DAEMON_SET
    assert running.plan().confirmations == ()


def test_an_object_of_a_workloads_name_and_another_kind_is_not_waited_for(running: Site) -> None:
    same_name = SETTINGS.replace("name: settings", "name: net")
    running.network.manifest = NAMESPACE + same_name + SETTINGS + DAEMON_SET
    assert running.planned() == [("create", "configmap tiny/net", "missing")]


def test_a_node_cannot_be_applied_as_a_manifest(running: Site) -> None:
    running.network.manifest = MANIFEST + "---\napiVersion: v1\nkind: Node\nmetadata: {name: two, labels: {a: b}}\n"
    with pytest.raises(ConfigError, match=r"tiny document 4: a Node cannot be applied as a manifest: 'two'"):
        running.plan()


DOWN = 'Internal error occurred: failed calling webhook "judge.example.org": connection refused'


HELD = 'Service "x" is invalid: failed to allocate IP 192.0.2.10: provided IP is already allocated'


@pytest.mark.parametrize("words", [DOWN, HELD])
def test_an_object_is_applied_again_while_what_is_in_its_way_may_pass(
    words: str, running: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rkx.reconcile.object_actions.PASSING_POLL_S", 0.01)
    running.network.colour = "red"
    running.world.kube.refusals[SETTINGS_PATH] = [words, words]
    running.done()
    assert running.world.kube.objects[SETTINGS_PATH]["data"] == {"colour": "red"}


def test_a_webhook_that_stays_down_is_told_with_its_object(running: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rkx.reconcile.object_actions.PASSING_POLL_S", 0.01)
    running.network.colour = "red"
    running.file.write_text(running.file.read_text() + "addon_job_timeout: 1\n")
    running.__dict__.pop("project", None)
    running.world.kube.refusals[SETTINGS_PATH] = [DOWN] * 1000
    run = running.up()
    assert run.exit_code != 0
    assert "configmap tiny/settings" in str(run.error)
    assert "judge.example.org" in str(run.error)
    assert "look at the pods behind that webhook" in getattr(run.error, "hint", "")


def test_another_answer_of_500_is_told_at_once(running: Site) -> None:
    running.network.colour = "red"
    running.world.kube.refusals[SETTINGS_PATH] = ["failed to create typed patch object", "once more"]
    run = running.up()
    assert "failed to create typed patch object" in str(run.error)
    assert running.world.kube.refusals[SETTINGS_PATH] == ["once more"]


def leaving(site: Site) -> Site:
    """Put a pod on node two, and take that node out of the file, with one second to empty it."""
    site.world.kube.objects[POD_PATH] = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web", "namespace": "tiny", "ownerReferences": [{"kind": "ReplicaSet", "name": "web"}]},
        "spec": {"nodeName": "two"},
    }
    site.write(["one"])
    with site.file.open("a") as file:
        file.write("upgrade_strategy: {node_drain_input: {timeout: 1}}\n")
    return site


def evictions(site: Site) -> int:
    return sum(request.path.endswith("/web/eviction") for request in site.world.requests)


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rkx.reconcile.drain.FIRST_S", 0.05)


@pytest.mark.whole
@pytest.mark.usefixtures("_impatient")
def test_a_pod_that_its_budget_holds_is_asked_for_until_the_time_is_over(running: Site) -> None:
    site = leaving(running)
    site.world.kube.held.add(POD_PATH)
    run = site.ended(api.up(site.project, api.Options(accept=lambda dangers: True)))
    assert isinstance(run.error, RkxError)
    assert run.exit_code == 7
    assert "tiny/web" in run.error.message
    assert "disruption budget" in run.error.message
    assert evictions(site) > 2
    assert kept(site, POD_PATH)
    assert kept(site, "/api/v1/nodes/two")
    assert "agent" in site.world.engines["two"].boxes


@pytest.mark.whole
@pytest.mark.usefixtures("_impatient")
def test_a_pod_goes_as_soon_as_its_budget_lets_it(running: Site) -> None:
    site = leaving(running)
    site.world.kube.held.add(POD_PATH)
    former = site.world.kube.answer

    def let_go_later(request: Request) -> Response:
        answer = former(request)
        if evictions(site) == 3:
            site.world.kube.held.clear()
        return answer

    site.world.servers = [replace(each, application=let_go_later) for each in site.world.servers]
    site.ended(api.up(site.project, api.Options(accept=lambda dangers: True))).wait()
    assert evictions(site) == 4
    assert not kept(site, POD_PATH)
    assert not kept(site, "/api/v1/nodes/two")
    assert site.world.engines["two"].boxes == {}


@pytest.mark.whole
def test_a_namespace_is_deleted_only_when_it_is_agreed_to(running: Site) -> None:
    running.network.manifest = SETTINGS + DAEMON_SET
    assert [danger.what for danger in running.plan().confirmations] == ["delete namespace tiny"]
    run = running.up()
    assert (run.exit_code, running.world.effects) == (8, [])
    assert kept(running, SPACE_PATH)
    running.ended(api.up(running.project, api.Options(accept=lambda dangers: True))).wait()
    assert not kept(running, SPACE_PATH)


def test_a_namespace_that_only_the_run_finds_is_not_deleted_unasked(running: Site) -> None:
    """With the API silent at the plan, what to delete is known once the server is started again."""
    running.world.engines["one"].boxes["server"].state = "exited"
    running.network.manifest = SETTINGS + DAEMON_SET
    run = running.up()
    assert isinstance(run.error, PartlyDone), run.error
    assert run.error.message == "not confirmed yet: delete namespace tiny; all the rest is done"
    assert run.exit_code == 7
    assert kept(running, SPACE_PATH)
    assert [danger.what for danger in running.plan().confirmations] == ["delete namespace tiny"]


def test_a_namespace_that_only_the_run_finds_is_deleted_in_its_next_round_when_it_is_agreed_to(running: Site) -> None:
    running.world.engines["one"].boxes["server"].state = "exited"
    running.network.manifest = SETTINGS + DAEMON_SET
    asked: list[str] = []

    def accept(dangers: Sequence[Confirmation]) -> bool:
        asked.extend(danger.what for danger in dangers)
        return True

    run = running.ended(api.up(running.project, api.Options(accept=accept)))
    run.wait()
    assert asked == ["delete namespace tiny"]
    assert not kept(running, SPACE_PATH)
    assert running.plan().is_empty


@pytest.mark.whole
def test_an_api_that_is_silent_for_long_is_asked_over_few_connections(
    running: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    running.network.colour = "red"
    answer, dial, dialled = running.world.kube.answer, FakeWorld.dial, list[str]()

    def counted(world: FakeWorld, node: str, address: str) -> socket.socket:
        dialled.append(address)
        return dial(world, node, address)

    monkeypatch.setattr(FakeWorld, "dial", counted)
    asked = iter(range(60))
    running.world.engines["one"].boxes["server"].state = "exited"
    late = lambda request: silent(request) if next(asked, None) is not None else answer(request)  # noqa: E731
    running.world.servers = [replace(each, application=late) for each in running.world.servers]
    monkeypatch.setattr("rkx.reconcile.execute.POLL_S", 0.01)
    monkeypatch.setattr("rkx.reconcile.probe.POLL_S", 0.01)
    running.done()
    assert next(asked, None) is None
    assert dialled.count(READY) < 10


@pytest.mark.whole
def test_who_waited_for_a_container_keeps_no_stream_to_it(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    address, dial, dialled = "tcp:127.0.0.1:7000", FakeWorld.dial, list[socket.socket]()
    site.service.agent_probe = rkx.Probe(address=address, path="/healthz")
    site.world.servers.append(Server(address=address, container="agent", application=lambda _: Response(body=b"ok")))

    def noted(world: FakeWorld, node: str, where: str) -> socket.socket:
        stream = dial(world, node, where)
        dialled.extend([stream] * (where == address))
        return stream

    monkeypatch.setattr(FakeWorld, "dial", noted)
    gc.disable()  # a node may have eight streams in all, and cannot wait for a collection
    try:
        site.done()
        assert dialled
        assert {stream.fileno() for stream in dialled} == {-1}
    finally:
        gc.enable()


@pytest.mark.whole
def test_what_runs_on_every_node_is_waited_for_on_a_new_one_too(site: Site) -> None:
    site.write(["one"])
    site.done()
    site.world.revive()
    site.write(["one", "two"])
    [wait] = [action for action in site.plan().actions if action.key.shown_name == "DaemonSet tiny/net"]
    assert (wait.verb, wait.reason) == ("wait", "nodes come")
    assert [str(key) for key in wait.after] == ["health Node two"]
    site.done()
    assert site.planned() == []
