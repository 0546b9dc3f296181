"""Nodes, wanted and seen, as actions: compared as values."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.core.reconcile.values import AGENT, NOWHEN, STATE, container, desired, node

import rkx
from rkx.model.action import (
    Action,
    Change,
    CleanNode,
    CreatePath,
    IssueCredentials,
    PullImage,
    RemoveContainer,
    RemovePath,
    ReplaceContainer,
    RestartContainer,
    UpdatePath,
)
from rkx.model.key import ContainerKey, FileKey
from rkx.reconcile.content import fingerprint
from rkx.reconcile.desired import Desired
from rkx.reconcile.diff import diff_nodes, dropped
from rkx.reconcile.layout import Layout
from rkx.reconcile.seen import SeenFile, SeenNode
from rkx.reconcile.state import NodeRecord
from rkx.reconcile.take_down import take_down

FOLDER = PurePosixPath("/etc/agent")
FILE = rkx.File(node="one", path=FOLDER / "config", content=b"level: 1\n", mode=0o600, owner="service:tiny")
WORD = fingerprint(STATE, FILE)
MOUNT = rkx.Mount(source=str(FOLDER), target=str(FOLDER))
READER = replace(AGENT, mounts=(MOUNT,), reads=(rkx.Read(path=FOLDER),))
LAYOUT = Layout(read=("/etc/agent",))


def with_file(wanted: Desired) -> Desired:
    return replace(wanted, resources={FILE.key: FILE, **wanted.resources}, layouts={"one": LAYOUT})


def seen_file(**more: object) -> SeenNode:
    whole = SeenFile(word=fingerprint(STATE, FILE), modified=NOWHEN)
    found = node(layout=LAYOUT)
    return replace(found, files={**found.files, str(FILE.path): replace(whole, **more)})


def diff(wanted: Desired, seen: SeenNode, record: NodeRecord | None = None) -> Sequence[Action]:
    state = STATE if record is None else replace(STATE, nodes={"one": record})
    return diff_nodes(wanted, {"one": seen}, state)


def test_a_file_that_is_as_wanted_needs_nothing() -> None:
    assert diff(with_file(desired()), seen_file()) == []


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (node(layout=LAYOUT), CreatePath(key=FILE.key, reason="missing", owner=FILE.owner)),
        (
            seen_file(word="other 0600 0 0"),
            UpdatePath(key=FILE.key, reason="content differs", owner=FILE.owner),
        ),
    ],
    ids=["missing", "content"],
)
def test_a_file_that_differs_is_written(seen: SeenNode, expected: Action) -> None:
    assert diff(with_file(desired()), seen) == [expected]


def test_a_file_that_rkx_wrote_and_nobody_wants_goes() -> None:
    record = replace(STATE.nodes["one"], paths=(str(FILE.path),))
    wanted = replace(desired(), layouts={"one": LAYOUT})
    assert diff(wanted, seen_file(), record) == [
        RemovePath(key=FileKey("one", str(FILE.path)), reason="no longer wanted")
    ]


@pytest.mark.parametrize(("later_s", "restarted"), [(-1, False), (1, True)])
def test_a_container_is_restarted_for_a_file_written_after_its_start(later_s: int, *, restarted: bool) -> None:
    started = NOWHEN + timedelta(days=1)
    running = replace(container(READER), started_at=started, binds=frozenset({str(MOUNT)}))
    seen = seen_file(modified=started + timedelta(seconds=later_s))
    seen = replace(seen, containers={**seen.containers, "agent": running})
    restart = RestartContainer(key=READER.key, reason=f"{FILE.path} changed", owner=READER.owner)
    assert diff(with_file(desired(READER)), seen) == ([restart] if restarted else [])


@pytest.mark.parametrize(
    ("more", "what"),
    [({"image": "other:1"}, "image"), ({"limited": True}, "limits"), ({"privileged": True}, "privileges")],
)
def test_what_was_set_by_hand_is_replaced_and_named(more: dict[str, object], what: str) -> None:
    changed = replace(container(AGENT), **more)
    replaced = ReplaceContainer(key=AGENT.key, reason=f"set by hand: {what}", owner=AGENT.owner)
    assert replaced in diff(desired(AGENT), node(changed))


def test_a_changed_argument_is_shown_before_and_after() -> None:
    wanted = replace(AGENT, argv=("agent", "--level=2"))
    [action] = diff(desired(wanted), node(container(AGENT)))
    assert action.reason == "arguments changed: --level"
    assert action.changes == (Change(field="--level", before="1", after="2"),)


def test_a_changed_image_is_shown_before_and_after() -> None:
    wanted = replace(AGENT, image="agent:2", argv=("agent", "--level=2"))
    found = diff(desired(wanted), node(container(AGENT)))
    [action] = [each for each in found if isinstance(each, ReplaceContainer)]
    assert action.changes == (
        Change(field="image", before=AGENT.image, after="agent:2"),
        Change(field="--level", before="1", after="2"),
    )


def test_a_container_of_ours_that_nobody_wants_goes_after_what_it_may_be_a_part_of() -> None:
    half_made = replace(container(AGENT), name="agent-abc")
    assert diff(desired(AGENT), node(container(AGENT), half_made)) == [
        RemoveContainer(
            key=ContainerKey("one", "agent-abc"), reason="no longer wanted", after=(ContainerKey("one", "agent"),)
        )
    ]


def test_renewals_are_one_action_that_names_each() -> None:
    due = (rkx.identity.Renewal(identity="a", reason="missing"), rkx.identity.Renewal(identity="b", reason="ends soon"))
    assert diff(replace(desired(), renewals=due), node()) == [
        IssueCredentials(
            reason="2: ends soon, missing",
            changes=(Change(field="a", after="missing"), Change(field="b", after="ends soon")),
        )
    ]


def test_a_node_is_taken_down_containers_first() -> None:
    left = rkx.HostCleanup(node="one", name="network", image="cleaner:1")
    remove = RemoveContainer(key=ContainerKey("one", "agent"), reason="the node is taken down")
    pull = PullImage(node="one", image="cleaner:1", reason="has the programs to clean with")
    clean = CleanNode(node="one", reason="the node is taken down", after=(remove.key, pull.key))
    assert take_down("one", node(container(AGENT)), STATE, [left]) == [remove, pull, clean]


def test_a_machine_that_never_was_of_the_cluster_is_not_taken_down() -> None:
    assert take_down("other", replace(node(), containers={}), STATE) == []


@given(st.sets(st.sampled_from(["/a", "/a/b", "/a/b/c", "/ab", "/d", "/d/e"])))
def test_what_is_dropped_lies_in_a_folder_into_which_something_was_written(paths: set[str]) -> None:
    """A folder of its own, with nothing of ours in it, may hold what others need."""
    found = dropped(sorted(paths), Layout(read=("/d",)))
    assert found <= {path for path in paths if not path.startswith("/d")}
    for path in paths - found:
        assert path.startswith("/d") or not any(
            path == top or path.startswith(f"{top}/") for top in paths if any(o.startswith(f"{top}/") for o in paths)
        )
