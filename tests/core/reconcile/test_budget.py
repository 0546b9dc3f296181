"""All that one look at a node brings has one bound, and so has each thing that is kept of it or shown."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from tests.core.reconcile.small import Site
from tests.core.reconcile.test_bounds import _info, asking, link

from rkx import lines
from rkx.errors import BadAnswer, PartlyDone, PreflightFailed, RkxError
from rkx.events import ActionFailed
from rkx.reconcile import answers, archives, observe
from rkx.reconcile.bounds import Limit
from rkx.reconcile.engine import Engine
from rkx.reconcile.engine_api import look
from rkx.reconcile.state_copies import header_in
from rkx.reconcile.stream import Events
from rkx.testing.container import Box
from rkx.testing.wire import Response, as_json

LIMIT = Limit(size=4096, seconds=30)
HALF = as_json({"x": "y" * 2000})
LONG = "C" * 100_000
SHOWN = 3000
"""More than ``WORDS`` and what stands around them."""


def test_all_answers_of_one_look_have_one_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rkx.reconcile.link.ENGINE", LIMIT)
    with link(lambda request: HALF).http() as engine:
        look(engine, "/info")
        with pytest.raises(BadAnswer, match=r"one: GET /info: the answer is larger than .* with those before it"):
            look(engine, "/info")


def test_archives_count_in_that_bound_as_far_as_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rkx.reconcile.link.ENGINE", LIMIT)
    empty = Response(body=bytes(3000))
    with link(lambda request: empty).http() as engine:
        assert list(archives.entries(engine, "rkx-node", "/etc")) == []
        with pytest.raises(BadAnswer, match="is larger than"):
            list(archives.entries(engine, "rkx-node", "/etc"))


def test_all_answers_of_one_action_have_one_bound() -> None:
    with link(lambda request: HALF).docker(limit=LIMIT) as docker:
        docker.inspect("x")
        with pytest.raises(BadAnswer, match=r"one: GET .*/containers/x/json: the answer is larger than"):
            docker.inspect("x")


def test_each_look_and_each_probe_begins_anew() -> None:
    way = link(lambda request: HALF)
    for _ in range(3):
        with way.docker(limit=LIMIT) as docker:
            docker.inspect("x")
    with asking(lambda request: HALF, LIMIT) as engine:
        assert [engine.get("/healthz").ok for _ in range(3)] == [True] * 3


@pytest.mark.parametrize(
    "ask",
    [
        lambda docker: docker.inspect("x"),
        lambda docker: docker.listed(label="x"),
        lambda docker: docker.wait("x", 1),
        lambda docker: docker.set_restart("x", "no"),
        lambda docker: docker.create({}, "x"),
    ],
    ids=["inspect", "list", "wait", "update", "create"],
)
def test_what_dockers_client_reads_is_counted_before_it_is_read(
    ask: Callable[[Engine], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "BRACKETS", 100)
    many = Response(body=json.dumps({"Id": "x", "x": [[]] * 100}).encode())
    with (
        link(lambda request: many).docker() as docker,
        pytest.raises(BadAnswer, match=r"one: \w+ /v1.41/containers/.*: the answer holds more than 100 lists") as found,
    ):
        ask(docker)
    assert found.value.node == "one"


def test_the_answers_of_a_batch_are_counted_together(running: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(given: list[bytes]) -> list[bytes]:
        monkeypatch.setattr(answers, "BRACKETS", 10_000)
        begun = {"verb": "begin", "batch": json.loads(given[0])["batch"], "ok": True}
        return [json.dumps({**begun, "x": [[]] * 4000}).encode() + b"\n" for _ in given[:3]]

    running.world.machines["two"].perform = answer  # type: ignore[assignment, method-assign]
    running.service.content = b"changed"
    running.__dict__.pop("project", None)
    run = running.up()
    assert "two: rkx-node: the answer holds more than 10000 lists and mappings" in str(run.error)


def test_a_copy_of_the_state_is_counted_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "BRACKETS", 100)
    with pytest.raises(BadAnswer, match=r"two: .*more than 100 lists"):
        header_in(json.dumps([[]] * 100).encode(), "two")
    said = {"cluster_id": LONG, "generation": 1, "sha256": ""}
    assert header_in(json.dumps(said).encode(), "two") is None


def add(site: Site, name: str, **config: object) -> Box:
    engine = site.world.engines["two"]
    labels = {"rkx.cluster": site.state.cluster_id}
    box = Box(name=name, config={"Image": "agent:1", "Labels": labels, **config}, state="exited")
    engine.boxes[name] = box
    return box


@pytest.mark.parametrize(
    ("name", "config", "what"),
    [
        ("x", {"Cmd": ["a" * (answers.ARGUMENTS // 2 + 1)] * 2}, "at most 128 KiB where Cmd"),
        ("x", {"Entrypoint": ["a" * (answers.ARGUMENTS + 1)]}, "at most 128 KiB where Entrypoint"),
        ("x", {"HostConfig": {"Binds": ["/a:" + "b" * answers.ARGUMENTS]}}, "at most 128 KiB where Binds"),
        ("x" * (answers.SHORT + 1), {}, "a name of 257 letters"),
    ],
    ids=["arguments", "entry point", "binds", "name"],
)
def test_what_is_kept_of_a_container_has_a_bound(
    running: Site, name: str, config: dict[str, object], what: str
) -> None:
    add(running, name, **config)
    with pytest.raises(BadAnswer, match=f"two: .*{what}") as found:
        running.plan()
    assert found.value.node == "two"


def test_the_labels_that_are_looked_at_have_a_bound() -> None:
    row = {"Id": "i", "Names": ["/x"], "Labels": {"rkx.hold": "a" * (answers.ARGUMENTS + 1), "rkx.read": "/a"}}
    with (
        link(lambda request: as_json([row])).http() as engine,
        pytest.raises(BadAnswer, match=r"one: .*line of at most 131072 printable letters where rkx.hold"),
    ):
        observe._listed(engine)


@pytest.mark.parametrize("field", ["state", "image_id"])
def test_what_a_container_is_in_has_a_bound(running: Site, field: str) -> None:
    setattr(add(running, "x"), field, "z" * (answers.SHORT + 1))
    with pytest.raises(BadAnswer, match=r"two: .*line of at most 256 printable letters"):
        running.plan()


def test_a_node_names_so_many_images_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observe, "ROWS", 10)
    rows = [{"Id": f"sha256:{number}", "RepoTags": [f"a{number}:1", f"b{number}:1"]} for number in range(6)]
    with link(lambda request: as_json(rows)).http() as engine, pytest.raises(BadAnswer, match="more than 10 names"):
        observe._images(engine)


def test_labels_that_nobody_looks_at_are_not_kept() -> None:
    labels = {"rkx.cluster": "c", "rkx.read": "/a", "other": LONG, "rkx.other": LONG}
    row = {"Id": "i", "Names": ["/x"], "Image": LONG, "State": "running", "Labels": labels}
    with link(lambda request: as_json([row])).http() as engine:
        [seen] = observe._listed(engine).values()
    assert seen.labels == {"rkx.cluster": "c", "rkx.read": "/a"}
    assert len(seen.image) < SHOWN


def test_a_plan_shows_no_more_of_a_containers_arguments_than_anybody_reads(running: Site) -> None:
    agent = running.world.engines["two"].boxes["agent"]
    agent.config["Cmd"] = [f"--level={LONG}", f"--{LONG[:9000]}"]
    agent.config["Image"] = LONG
    agent.labels["rkx.digest"] = "other"
    [action] = running.plan().actions
    assert (action.verb, action.key.shown_name) == ("replace", "agent")
    assert len(action.reason) < SHOWN
    assert max(len(text) for change in action.changes for text in (change.field, change.before)) < SHOWN


def test_a_finding_is_no_longer_than_anybody_reads(running: Site) -> None:
    boxes = running.world.engines["two"].boxes
    for number in range(300):
        labels = {observe.RKE_LABEL: "x"}
        boxes[f"etcd-{number:0>20}"] = Box(name=f"etcd-{number:0>20}", config={"Image": "a", "Labels": labels})
    with pytest.raises(PreflightFailed, match="containers made by RKE") as found:
        running.plan()
    assert len(found.value.message) < SHOWN
    assert max(len(problem.message) for problem in found.value.problems) < SHOWN


def says(site: Site, *said: dict[str, object], complaint: str = "") -> PartlyDone:
    """Have a batch done by an rkx-node that says as told, and give what comes of it."""
    engine, machine = site.world.engines["two"], site.world.machines["two"]

    def perform(given: list[bytes]) -> list[bytes]:
        for box in engine.boxes.values():
            engine.attached.say(box, complaint.encode(), stream=2)
        begun = {"verb": "begin", "batch": json.loads(given[0])["batch"], "ok": True}
        return [json.dumps(each).encode() + b"\n" for each in (begun, *said)]

    machine.perform = perform  # type: ignore[assignment, method-assign]
    site.service.content = b"changed"
    site.__dict__.pop("project", None)
    run = site.up()
    assert isinstance(run.error, PartlyDone), run.error
    return run.error


@pytest.mark.parametrize("part", ["error", "path"])
def test_words_of_the_node_program_are_cut(running: Site, part: str) -> None:
    failed = says(running, {"ok": False, "verb": "put", "path": "/x", "error": "EIO", part: LONG})
    assert part == "path" or "/x: CCC" in failed.message
    assert len(failed.message) < SHOWN
    told = [event for event in running.events if isinstance(event, ActionFailed)]
    assert told
    assert max(len(event.message) for event in told) < SHOWN


def test_complaints_of_the_node_program_are_cut(running: Site) -> None:
    failed = says(running, complaint=LONG)
    assert "ended before its batch did: CCC" in failed.message
    assert len(failed.message) < SHOWN


@pytest.mark.parametrize("client", ["look", "docker"])
@pytest.mark.parametrize("body", [json.dumps({"message": LONG}).encode(), LONG.encode()], ids=["json", "text"])
def test_words_of_a_refusal_are_cut(body: bytes, client: str) -> None:
    way = link(lambda request: Response(status=500, body=body))
    with pytest.raises(RkxError, match="one: the Engine says: CCC") as found:
        _info(way, client)
    assert len(found.value.message) < SHOWN


def test_no_text_of_an_event_is_longer_than_a_message() -> None:
    events = Events("run")
    events.emit(ActionFailed(node="two", message=LONG, hint=LONG, key="short"))
    events.end()
    [event] = events
    assert isinstance(event, ActionFailed)
    assert event.key == "short"
    assert max(len(event.message), len(event.hint)) < lines.MESSAGE + 100
    assert event.message.endswith("... (100000 characters)")
