"""What a plan asks, needs and shows; and that each kind of drift is one action with its reason."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from msgspec.structs import replace
from tests.core.reconcile.small import ROOT, Site, TinyService

import rkx
from rkx import api
from rkx.errors import ConnectFailed, PartlyDone, PlanStale, PreflightFailed, Refused
from rkx.reconcile.engine import Engine
from rkx.reconcile.state_file import StateFile
from rkx.testing.container import Box
from rkx.testing.machine import Entry
from rkx_auth_x509 import X509Auth
from rkx_auth_x509.issue import issue

Break = Callable[[Site], object]


@pytest.mark.whole
def test_planning_sends_get_requests_only_and_issues_nothing(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    signed: list[object] = []
    sign = lambda *arguments: signed.append(arguments) or issue(*arguments)  # type: ignore[func-returns-value] # noqa: E731
    monkeypatch.setattr("rkx_auth_x509.issue.issue", sign)
    assert "issue" in {action.verb for action in site.plan().actions}
    assert (site.world.changes(), site.world.effects, signed) == ([], [], [])
    assert not site.file.with_suffix(".rkxstate").exists()
    site.done()
    assert len(signed) == 8
    site.world.revive()
    site.service.flag = "--level=2"
    assert site.plan().actions
    assert (site.world.changes(), len(signed)) == ([], 8)


@pytest.mark.whole
def test_a_run_with_nothing_to_do_makes_no_client_of_docker(running: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its import takes longer than all that such a run asks."""
    monkeypatch.setattr(Engine, "over", lambda *_a: pytest.fail("docker-py was loaded"))
    assert running.planned() == []
    running.done()


def test_a_machine_that_was_never_prepared_is_not_asked_for_files(site: Site) -> None:
    stranger = {"Image": "echo", "HostConfig": {"Binds": ["/etc/kubernetes:/look/read/etc/kubernetes"]}}
    site.world.engines["two"].boxes["rkx-node"] = Box(name="rkx-node", config=stranger)
    with pytest.raises(PreflightFailed):
        site.plan()
    assert [request for request in site.world.requests if request.query.get("path") == "/look"] == []


def test_a_plan_needs_no_key(running: Site) -> None:
    running.service.content = b"other"
    running.world.servers.clear()  # the API is asked with a key
    whole = running.plan()
    file = StateFile(running.folder / "cluster.rkxstate")
    bare = {n: replace(c, parts={}) for n, c in running.state.credentials.items()}
    with_certificates = {n: replace(c, parts={"ca-bundle": rkx.Secret(b"")}) for n, c in bare.items()}
    file.save(replace(running.state, credentials={n: with_certificates[n] for n in bare}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rkx.reconcile.api_client.tls_context", lambda *_: None)
        assert running.plan() == whole


def kept(plan: rkx.Plan) -> rkx.Plan:
    """Write a plan as JSON, and read it again."""
    return msgspec.json.decode(msgspec.json.encode(plan), type=rkx.Plan)


def test_the_plan_of_a_new_cluster_can_be_kept_as_json(site: Site) -> None:
    planned = site.plan()
    assert kept(planned) == planned


def test_the_plan_of_a_change_can_be_kept_as_json(running: Site) -> None:
    running.service.flag, running.service.content = "--level=2", b"other"
    planned = running.plan()
    assert kept(planned) == planned


def test_a_plan_holds_nothing_of_what_it_writes(running: Site) -> None:
    running.service.content, running.service.flag = b"level: 7431", "--level=7431"
    text = msgspec.json.encode(running.plan())
    assert b"/config" in text
    assert b"level: 7431" not in text


@pytest.mark.whole
def test_a_plan_made_before_is_applied_as_it_is(running: Site) -> None:
    running.service.flag = "--level=2"
    planned = kept(running.plan())
    running.ended(api.apply(running.project, planned)).wait()
    assert {action.key.shown_name for action in planned.actions} == {"agent"}
    assert running.planned() == []


def test_a_plan_made_before_is_refused_when_nodes_have_moved_on(running: Site) -> None:
    running.service.flag = "--level=2"
    planned = running.plan()
    running.world.engines["two"].boxes.pop("agent")
    with pytest.raises(PlanStale, match="nodes or contents are not as they were planned"):
        running.ended(api.apply(running.project, planned)).wait()
    assert running.world.changes() == []


def differ(service: TinyService, what: str, value: str) -> None:
    """Describe one thing otherwise."""
    if what == "label":
        service.labels = {"tiny": value}
    elif what == "taint":
        service.taints = (rkx.Taint(key="tiny", value=value, effect="NoExecute"),)
    elif what == "probe":
        service.agent_probe = rkx.Probe(address=f"tcp:127.0.0.1:{value}", timeout_s=1)
    else:
        service.content = value.encode()


@pytest.mark.parametrize("what", ["label", "taint", "probe", "content"])
def test_a_plan_made_before_is_refused_when_something_else_is_described(running: Site, what: str) -> None:
    for engine in running.world.engines.values():
        engine.boxes.pop("agent")
    differ(running.service, what, "1000")
    planned = running.plan()
    differ(running.service, what, "2000")
    assert running.plan().actions == planned.actions
    with pytest.raises(PlanStale, match="nodes or contents are not as they were planned"):
        running.ended(api.apply(running.project, planned)).wait()
    assert running.world.changes() == []


def test_the_plan_of_a_new_cluster_cannot_be_applied_and_says_what_can(site: Site) -> None:
    planned = site.plan()
    with pytest.raises(PlanStale, match="no keys yet") as caught:
        site.ended(api.apply(site.project, planned)).wait()
    assert caught.value.hint == "run rkx up"
    assert site.world.changes() == []


@pytest.mark.whole
def test_no_secret_is_shown(site: Site) -> None:
    planned = site.plan()
    site.done()
    secrets = [site.service.token.reveal()]
    secrets += [
        p.reveal() for c in site.state.credentials.values() for n, p in c.parts.items() if n in ("key", "secret")
    ]
    secrets.append(site.state.digest_key.reveal())
    boxes = [box.config for engine in site.world.engines.values() for box in engine.boxes.values()]
    shown = [planned, msgspec.json.encode(planned), site.plan(), *site.events, *boxes, *site.world.effects, site.state]
    text = " ".join(repr(each) for each in [*shown, *(event.as_dict() for event in site.events)])
    for secret in secrets:
        assert secret.decode("latin-1") not in text
        assert repr(secret)[2:-1] not in text
    assert len(secrets) > 6


def _write(site: Site, name: str, content: bytes) -> None:
    path, files = str(ROOT / name), site.world.machines["two"].files
    files[path] = replace(files[path], content=content)


def _agent(site: Site) -> Box:
    return site.world.engines["two"].boxes["agent"]


LIMITS: dict[str, int | str] = {
    **dict.fromkeys(("Memory", "MemoryReservation", "MemorySwap"), 1 << 20),
    **dict.fromkeys(("NanoCpus", "CpuShares", "CpuPeriod", "CpuQuota", "BlkioWeight", "PidsLimit"), 100),
    **dict.fromkeys(("CpuRealtimePeriod", "CpuRealtimeRuntime"), 1000),
    **dict.fromkeys(("CpusetCpus", "CpusetMems"), "0"),
}


def _limit(name: str) -> Break:
    return lambda site: _agent(site).host.update({name: LIMITS[name]})


DRIFTS: dict[str, tuple[Break, list[tuple[str, str, str]]]] = {
    "deleted": (
        lambda s: s.world.engines["two"].boxes.pop("agent"),
        [("create", "two container agent", "missing")],
    ),
    "stopped": (
        lambda s: setattr(_agent(s), "state", "exited"),
        [("start", "two container agent", "is exited")],
    ),
    "restart policy": (
        lambda s: _agent(s).host.update(RestartPolicy={"Name": "no"}),
        [("update", "two container agent", "restart policy is 'no'")],
    ),
    **{f"limit {name}": (_limit(name), [("replace", "two container agent", "set by hand: limits")]) for name in LIMITS},
    "image of a container made again by hand": (
        lambda s: _agent(s).config.update(Image="agent:9"),
        [("replace", "two container agent", "set by hand: image")],
    ),
    "image by its id": (
        lambda s: _agent(s).config.update(Image="sha256:of-another"),
        [("replace", "two container agent", "set by hand: image")],
    ),
    "another argument": (
        lambda s: _agent(s).config.update(Cmd=["--level=9"]),
        [("replace", "two container agent", "set by hand: arguments")],
    ),
    "one argument more": (
        lambda s: _agent(s).config["Cmd"].append("--insecure"),
        [("replace", "two container agent", "set by hand: arguments")],
    ),
    "arguments before those of the first start": (
        lambda s: s.world.engines["one"].boxes["server"].config.update(Cmd=["--insecure", "--new"]),
        [("replace", "one container server", "set by hand: arguments")],
    ),
    "binds": (
        lambda s: _agent(s).host["Binds"].append("/:/host:rw"),
        [("replace", "two container agent", "set by hand: binds")],
    ),
    "binds and privileges": (
        lambda s: _agent(s).host.update(Binds=None, Privileged=True),
        [("replace", "two container agent", "set by hand: binds, privileges")],
    ),
    "mode of a folder that is not open to all": (
        lambda s: s.world.machines["two"].files.update({"/var/lib/tiny": Entry(mode=0o777)}),
        [("update", "two folder /var/lib/tiny", "mode or owner is 0777 0:0, not 0750 0:0")],
    ),
    "changed file": (
        lambda s: _write(s, "config", b"by hand"),
        [
            ("update", "two file /etc/tiny/config", "content differs"),
            ("restart", "two container agent", "/etc/tiny/config changed"),
        ],
    ),
    "file written again": (
        lambda s: setattr(_agent(s), "started", "2020-01-01T00:00:00Z"),
        [("restart", "two container agent", "/etc/tiny/config changed")],
    ),
    "deleted object": (
        lambda s: s.world.kube.objects.pop("/api/v1/namespaces/tiny/configmaps/settings"),
        [("create", "configmap tiny/settings", "missing")],
    ),
    "object changed by hand": (
        lambda s: s.world.kube.objects["/api/v1/namespaces/tiny/configmaps/settings"]["data"].update(colour="red"),
        [("update", "configmap tiny/settings", "was changed by another client")],
    ),
    "label taken away": (
        lambda s: s.world.kube.objects["/api/v1/nodes/two"]["metadata"].pop("labels"),
        [("update", "node two", "label tiny differs")],
    ),
    "image": (
        lambda s: setattr(s.service, "image", "agent:2"),
        [
            ("pull", "one image agent:2", "not on the node"),
            ("replace", "one container agent", "image changed from agent:1"),
            ("pull", "two image agent:2", "not on the node"),
            ("replace", "two container agent", "image changed from agent:1"),
        ],
    ),
}


@pytest.mark.whole
def test_a_folder_open_to_all_is_made_at_prepare_and_not_read_again(site: Site) -> None:
    machine = site.world.machines["two"]
    machine.files["/var/lib/open"] = Entry(mode=0o700)
    site.up()
    assert machine.files["/var/lib/open"].mode == 0o755
    machine.files["/var/lib/open"] = Entry(mode=0o700)
    assert site.planned() == []


@pytest.mark.whole
@pytest.mark.parametrize("name", DRIFTS)
def test_each_drift_is_found_and_repaired_alone(running: Site, name: str) -> None:
    spoil, expected = DRIFTS[name]
    spoil(running)
    assert sorted(running.planned()) == sorted(expected)
    running.done()
    assert running.planned() == []


@pytest.mark.whole
def test_a_label_that_nobody_wants_any_more_is_taken_off(running: Site) -> None:
    running.service.labels = {"tiny": "yes", "zone": "a"}
    running.done()
    running.service.labels = {"tiny": "yes"}
    assert ("update", "node two", "label zone is no longer wanted") in running.planned()
    running.done()
    assert "zone" not in running.world.kube.objects["/api/v1/nodes/two"]["metadata"]["labels"]
    assert running.planned() == []


def test_what_the_api_adds_is_no_drift(running: Site) -> None:
    live = running.world.kube.objects["/apis/apps/v1/namespaces/tiny/daemonsets/net"]
    live["spec"]["revisionHistoryLimit"] = 10
    live["metadata"]["annotations"] = {"by": "a controller"}
    assert running.planned() == []


def test_bootstrap_arguments_are_no_reason_to_replace(running: Site) -> None:
    box = running.world.engines["one"].boxes["server"]
    assert box.config["Cmd"] == ["--serve", "--new"]
    box.config["Cmd"] = ["--serve", "--old"]
    assert running.planned() == []


def test_a_tag_that_moved_is_no_drift(running: Site) -> None:
    for engine in running.world.engines.values():
        engine.images["agent:1"] = "sha256:of-another"
    assert running.planned() == []


def test_a_silent_node_is_never_absent(running: Site) -> None:
    running.world.silent.add("two")
    with pytest.raises(ConnectFailed, match="two"):
        running.plan()
    run = running.up()
    assert (run.exit_code, running.world.effects) == (4, [])
    run = running.up("two")
    assert isinstance(run.error, PartlyDone)
    assert set(running.state.nodes) == {"one", "two"}
    running.world.silent.clear()
    assert running.planned() == []


def test_with_the_api_silent_objects_are_unknown_not_missing(running: Site) -> None:
    running.world.servers.clear()
    planned = running.plan()
    assert [action.verb for action in planned.actions] == ["refresh"]
    assert planned.unknown == ("objects",)


def test_another_clusters_containers_are_refused(running: Site) -> None:
    running.world.engines["two"].boxes["agent"].labels["rkx.cluster"] = "another"
    with pytest.raises(Refused, match="agent"):
        running.plan()


def test_a_lost_state_is_found_again_on_a_node(running: Site) -> None:
    was = running.state
    for file in running.folder.glob("*.rkxstate*"):
        file.unlink()
    running.done()
    assert running.state.cluster_id == was.cluster_id
    ours = ("state", "one create rkx-lock", "one remove rkx-lock", "one start rkx-node", "one fence")
    assert [each for each in running.world.effects if each not in ours and "/var/lib/rkx/state" not in each] == []
    assert running.planned() == []
    assert was.cluster_id == running.world.engines["one"].boxes["agent"].labels["rkx.cluster"]


def test_a_removal_that_nobody_agrees_to_changes_nothing(running: Site) -> None:
    run = running.ended(api.remove(running.project))
    assert (run.exit_code, running.world.effects) == (8, [])


def test_x509_is_what_these_tests_run_with(site: Site) -> None:
    assert [type(each.plugin) for each in site.project.plugins.of("auth")] == [X509Auth]


@pytest.mark.whole
def test_a_folder_that_nobody_describes_any_more_goes_with_its_files(running: Site) -> None:
    running.service.has_extra = True
    running.done()
    running.service.has_extra = False
    gone = {f"two {kind} /etc/extra{name}" for kind, name in (("folder", ""), ("file", "/secret"))}
    assert gone <= {key for _, key, _ in running.planned()}
    running.done()
    assert "/etc/extra" not in running.world.machines["two"].files
    assert "/etc/extra/secret" not in running.world.machines["two"].files
    assert running.planned() == []


@pytest.mark.whole
def test_a_node_that_left_the_file_is_told_of_a_lost_state_and_left_alone(running: Site) -> None:
    for file in running.folder.glob("*.rkxstate*"):
        file.unlink()
    running.write(["one"])
    assert any("left alone: two" in finding.message for finding in running.plan().findings)
    running.world.requests.clear()
    assert running.remove().error is None
    assert running.world.engines["two"].running("agent")


@pytest.mark.parametrize("command", ["plan", "up", "remove"])
def test_a_state_that_another_run_left_behind_is_refused_by_every_command(running: Site, command: str) -> None:
    before = {file: file.read_bytes() for file in running.folder.glob("*.rkxstate*")}
    running.service.flag = "--level=2"
    running.done()
    for file in running.folder.glob("*.rkxstate*"):
        file.unlink()
    for file, content in before.items():
        file.write_bytes(content)
    running.service.flag = "--level=2"
    running.world.revive()
    with pytest.raises(Refused, match=r"generation \d+ is older than \d+ on one") as caught:
        running.plan() if command == "plan" else getattr(running, command)().wait()
    assert caught.value.exit_code == 8
    assert running.world.changes() == []
