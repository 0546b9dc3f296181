"""What nodes show as copies of the state: whose counts, how much of it is believed, and who confirms its authority."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.core.reconcile.conftest import Make
from tests.core.reconcile.small import ROOT, Site

import rkx
from rkx import api
from rkx.errors import ConfigError, PlanStale, Refused
from rkx.model.key import HealthKey
from rkx.reconcile.found_authority import fingerprint
from rkx.reconcile.layout import STATE_COPY
from rkx.reconcile.state import NodeRecord, State
from rkx.reconcile.state_json import dump, parse
from rkx.testing.container import Box
from rkx.testing.machine import Entry

CA = f"{ROOT}/ca.crt"


def plant(site: Site, node: str, content: bytes) -> None:
    machine = site.world.machines[node]
    machine.make_folder(str(Path(STATE_COPY).parent))
    machine.files[STATE_COPY] = Entry(content=content, mode=0o600)


def lose(site: Site) -> None:
    for file in site.folder.glob("*.rkxstate*"):
        file.unlink()


def messages(site: Site) -> str:
    return "\n".join(getattr(event, "message", "") for event in site.events)


@pytest.fixture
def evil(make: Make, running: Site) -> State:
    """Return a state of other authorities that says it is this cluster's newest, and knows of one node more."""
    other = make("one", "two")
    other.done()
    more = NodeRecord(
        address="192.0.2.66",
        internal_address="192.0.2.66",
        roles=("worker",),
        transport="other",
        options={"user": "x", "known_hosts": "~/elsewhere"},
    )
    nodes = {name: replace(r, paths=("/home/data",)) for name, r in other.state.nodes.items()}
    cluster_id = running.state.cluster_id
    return replace(other.state, cluster_id=cluster_id, generation=10**9, nodes={**nodes, "nine": more})


def untouched(site: Site, authority: bytes | None) -> bool:
    one = site.world.machines["one"].files
    return one[CA].content == authority and "/home/data" in one


@pytest.fixture
def authority(running: Site) -> bytes | None:
    running.world.machines["one"].files["/home/data"] = Entry(content=b"precious")
    return running.world.machines["one"].files[CA].content


@pytest.mark.whole
@pytest.mark.parametrize("lost", [True, False])
def test_a_copy_that_a_worker_shows_is_passed_over_and_told(
    running: Site, evil: State, authority: bytes | None, *, lost: bool
) -> None:
    plant(running, "two", dump(evil))
    if lost:
        lose(running)
    told = running.plan()
    assert [a for a in told.actions if not isinstance(a.key, HealthKey)] == []
    assert any(f.node == "two" and "is ignored" in f.message for f in told.findings)
    running.done()
    assert untouched(running, authority)
    assert "two" in {event.node for event in running.events if "is ignored" in getattr(event, "message", "")}
    assert running.remove().error is None
    assert running.world.machines["one"].files["/home/data"].content == b"precious"


@pytest.mark.whole
def test_a_newer_copy_counts_with_the_seal_of_this_state_alone(
    running: Site, evil: State, authority: bytes | None
) -> None:
    plant(running, "one", dump(evil))
    found = running.plan()
    assert any("message authentication code" in finding.message for finding in found.findings)
    running.service.flag = "--level=2"
    running.done()
    assert untouched(running, authority)
    plant(running, "one", dump(replace(running.state, generation=10**6)))
    assert f"is older than {10**6} on one" in str(running.up().error)


@pytest.mark.parametrize("change", [{"generation": 10**9}, {"cluster_id": "of-another"}])
def test_a_mark_is_nothing_without_what_it_marks(running: Site, change: dict[str, Any]) -> None:
    """The seal covers all that is read of a copy."""
    text = running.world.machines["one"].files[STATE_COPY].content
    assert text is not None
    plant(running, "one", json.dumps({**json.loads(text), **change}).encode())
    run = running.up()
    assert run.exit_code == 0, run.error


@pytest.mark.whole
def test_nothing_of_ways_paths_or_further_nodes_is_taken_from_a_copy(
    running: Site, authority: bytes | None, evil: State
) -> None:
    state = running.state
    nodes = {
        name: replace(record, paths=(*record.paths, "/home/data"), transport="other", options={"a": "b"})
        for name, record in state.nodes.items()
    }
    plant(running, "one", dump(replace(state, nodes={**nodes, "nine": evil.nodes["nine"]})))
    lose(running)
    running.done()
    assert running.state.nodes.keys() == {"one", "two"}
    assert {record.transport for record in running.state.nodes.values()} == {"fake"}
    assert {str(record.options) for record in running.state.nodes.values()} == {"{}"}
    assert untouched(running, authority)
    assert running.state.nodes["two"].paths == state.nodes["two"].paths
    assert running.planned() == []
    running.remove().wait()
    assert running.world.machines["one"].files["/home/data"].content == b"precious"
    assert not [path for path in running.world.machines["two"].files if path.startswith(f"{ROOT}/")]


def test_ways_to_nodes_are_not_taken_from_a_copy_by_a_run_that_ends_early_either(running: Site) -> None:
    """The next run would go by them to a node that left the file."""
    state = running.state
    nodes = {n: replace(r, transport="other", options={"a": "b"}) for n, r in state.nodes.items()}
    plant(running, "one", dump(replace(state, nodes=nodes)))
    lose(running)
    running.world.engines["two"].says["SystemTime"] = "2026-01-01T00:00:00Z"
    assert running.up().exit_code == 6
    assert {(record.transport, *record.options) for record in running.state.nodes.values()} == {("fake",)}


def controlplanes(site: Site) -> Site:
    """Make both nodes control planes; etcd stays on the first."""
    site.__dict__.pop("project", None)
    site.file.write_text(site.file.read_text().replace("role: [worker]", "role: [controlplane, worker]"))
    site.done()
    site.world.revive()
    return site


@pytest.mark.whole
@pytest.mark.parametrize("generation", [1, 10**9])
def test_copies_that_differ_are_refused_and_no_number_outvotes(site: Site, evil: State, generation: int) -> None:
    controlplanes(site)
    plant(site, "two", dump(replace(site.state, generation=generation)))
    lose(site)
    error = site.up().error
    assert isinstance(error, Refused)
    assert "differ" in error.message
    assert f"two: generation {generation}, authority sha256:" in error.message
    assert site.world.effects == []


@pytest.mark.whole
def test_an_authority_that_the_api_server_does_not_serve_is_refused(running: Site, evil: State) -> None:
    plant(running, "one", dump(evil))
    lose(running)
    for run in (running.up(), running.remove()):
        assert run.exit_code == 8
        assert f"{fingerprint(evil)}, did not issue" in str(run.error)
    with pytest.raises(Refused, match="did not issue"):
        running.plan()
    assert running.world.effects == []


def stopped(site: Site) -> str:
    lose(site)
    site.world.engines["one"].boxes["server"].state = "exited"
    text = site.world.machines["one"].files[STATE_COPY].content
    assert text is not None
    return fingerprint(parse(text, "one"))


def as_openssl(text: str) -> str:
    digits = text.removeprefix("sha256:").upper()
    return "sha256 Fingerprint=" + ":".join(digits[at : at + 2] for at in range(0, len(digits), 2))


@pytest.mark.parametrize("spelling", [str, str.upper, lambda text: text.removeprefix("sha256:"), as_openssl])
def test_with_the_api_down_the_operator_confirms_by_the_fingerprint(
    running: Site, spelling: Callable[[str], str]
) -> None:
    right = stopped(running)
    for options in (
        api.Options(accept=lambda dangers: True),
        api.Options(ca_fingerprint="sha256:" + "0" * 64, confirm=lambda shown: True),
        api.Options(confirm=lambda shown: False),
    ):
        run = running.ended(api.up(running.project, options))
        assert run.exit_code == 8
        assert right in str(run.error)
        assert running.world.effects == []
    running.ended(api.up(running.project, api.Options(ca_fingerprint=spelling(right)))).wait()
    assert f"its authority {right} was confirmed" in messages(running)


def test_with_the_api_down_the_operator_is_shown_the_fingerprint(running: Site) -> None:
    right, shown = stopped(running), list[str]()

    def confirm(fingerprint: str) -> bool:
        shown.append(fingerprint)
        return True

    running.ended(api.up(running.project, api.Options(confirm=confirm))).wait()
    assert shown == [right]


@pytest.mark.whole
@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{}",
        b"[" * 100_000,
        b'{"rkxstate": 1, "state": "{}", "sha256": "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"}',
        b'{"rkxstate": "x", "state": 1, "sha256": []}',
    ],
    ids=["empty", "nothing in it", "deep", "nothing inside", "other types"],
)
def test_a_malformed_copy_is_a_fault_with_the_nodes_name(running: Site, text: bytes) -> None:
    with pytest.raises(ConfigError, match="one:/var"):
        parse(text, f"one:{STATE_COPY}")
    plant(running, "one", text)
    assert running.up().exit_code == 0
    lose(running)
    plant(running, "one", text)
    error = running.up().error
    assert isinstance(error, Refused)
    assert f"no copy of it is whole: one:{STATE_COPY}" in error.message


@pytest.mark.parametrize("api_state", ["running", "exited"])
@pytest.mark.parametrize("what", ["no authority", "no certificate"])
def test_a_copy_without_the_authority_of_a_cluster_that_runs_is_refused(
    running: Site, what: str, api_state: str
) -> None:
    held = running.state.credentials
    bare = {**held, rkx.identity.KUBERNETES_CA: replace(held[rkx.identity.KUBERNETES_CA], parts={})}
    plant(running, "one", dump(replace(running.state, credentials=bare if what == "no certificate" else {})))
    lose(running)
    running.world.engines["one"].boxes["server"].state = api_state
    error = running.up().error
    assert isinstance(error, Refused), error
    assert "the state found on" in error.message
    assert running.world.effects == []


def test_a_copy_of_a_run_that_ended_before_it_had_an_authority_is_gone_on_with(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object) -> None:
        raise rkx.RkxError("not today")

    with monkeypatch.context() as patch:
        patch.setattr("rkx_auth_x509.issue.issue", refuse)
        assert "not today" in str(site.up().error)
    was = site.state.cluster_id
    lose(site)
    site.done()
    assert "it has no authority yet" in messages(site)
    assert site.state.cluster_id == was


@pytest.mark.parametrize("changes", [{"generation": "x"}, {"immutable": ["a"]}, {"credentials": {"a": None}}])
def test_a_copy_with_a_right_checksum_and_wrong_types_is_malformed(running: Site, changes: dict[str, Any]) -> None:
    plant(running, "one", dump(replace(running.state, **changes)))
    lose(running)
    error = running.up().error
    assert isinstance(error, Refused), error
    assert f"one:{STATE_COPY}" in error.message


@pytest.mark.whole
def test_a_damaged_copy_beside_a_whole_one_is_told(site: Site) -> None:
    controlplanes(site)
    plant(site, "two", b"damaged")
    lose(site)
    site.done()
    assert "its copy of the state is ignored: two:" in messages(site)


@pytest.mark.whole
def test_a_copy_is_found_where_the_stopped_containers_were_deleted(running: Site) -> None:
    was = running.state.cluster_id
    lose(running)
    for engine in running.world.engines.values():
        for name in ("rkx-node", "rkx-host"):
            engine.boxes.pop(name)
    with pytest.raises(Refused, match=f"no copy of its state was found .{STATE_COPY}") as caught:
        running.plan()
    assert "rkx up looks" in caught.value.hint
    running.done()
    assert running.state.cluster_id == was
    assert running.planned() == []
    assert not [name for engine in running.world.engines.values() for name in engine.boxes if "look" in name]


def test_a_machine_that_was_looked_at_in_vain_is_left_as_it_was(site: Site) -> None:
    labels = {"rkx.cluster": "another"}
    site.world.engines["one"].boxes["x"] = Box(name="x", config={"Image": "x", "Labels": labels}, state="running")
    before = site.world.snapshot()
    assert site.up().exit_code == 8
    after = site.world.snapshot()
    assert (after.files, after.boxes, after.images) == (before.files, before.boxes, before.images)


@pytest.mark.whole
def test_contents_that_changed_after_the_plan_are_not_applied(running: Site) -> None:
    running.service.content = b"planned"
    planned = running.plan()
    running.service.content = b"edited"
    run = running.ended(api.apply(running.project, planned))
    assert isinstance(run.error, PlanStale), run.error
    assert running.world.machines["one"].files[f"{ROOT}/config"].content == b"plain"


@pytest.mark.whole
def test_copies_that_did_not_arrive_are_sent_by_the_next_run(running: Site) -> None:
    running.world.machines["one"].files.pop(STATE_COPY)
    assert running.planned() == []
    running.done()
    text = running.world.machines["one"].files[STATE_COPY].content
    assert text is not None
    assert parse(text, "one").generation == running.state.generation
    running.world.revive()
    running.done()
    assert running.world.effects == []


def test_a_copy_knows_which_version_runs(running: Site) -> None:
    lose(running)
    text = running.world.machines["one"].files[STATE_COPY].content
    assert text is not None
    assert parse(text, "one").immutable["kubernetes_version"] == running.project.cluster.kubernetes_version


@pytest.mark.whole
def test_a_node_that_was_left_out_does_not_hold_up_a_second_look(running: Site) -> None:
    running.world.engines["two"].id = "engine-of-a-stranger"
    running.world.engines["one"].boxes.pop("rkx-node")
    running.write(["one"])
    run = running.up()
    assert run.exit_code == 7, run.error
    assert "rkx-node" in running.world.engines["one"].boxes
