"""How members of etcd change; the answers have the form that etcd 3.6.16 gave."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

import pytest
from msgspec.structs import replace
from tests.plugins.service_kubernetes.conftest import CLUSTER, PLAIN, machine

import rkx
from rkx.model.action import (
    CreateContainer,
    KeepContainer,
    ReplaceContainer,
    RestartContainer,
    StartContainer,
    UpdateContainer,
)
from rkx_service_kubernetes import KubernetesService
from rkx_service_kubernetes.etcd_members import LIST, PEERS, STATUS, members

NAMES = ("a", "b", "c")
THREE = replace(
    CLUSTER, nodes=tuple(machine(name, number, "controlplane", "etcd") for number, name in enumerate(NAMES, 1))
)
PLUGIN = KubernetesService(PLAIN)
Kind = type[KeepContainer]


def keys(*nodes: str) -> list[rkx.ContainerKey]:
    return [rkx.ContainerKey(node, "etcd") for node in nodes]


def change(kind: Kind, *nodes: str) -> list[rkx.action.ContainerAction]:
    wanted = [rkx.Container(node=node, name="etcd", image="", argv=()) for node in nodes]
    return [kind(key=each.key, reason="image changed") for each in wanted]


def removal(node: str) -> rkx.action.ContainerAction:
    return rkx.action.RemoveContainer(key=rkx.ContainerKey(node, "etcd"), reason="no longer wanted")


def row(number: int, name: str, *, started: bool = True) -> dict[str, object]:
    seen: dict[str, object] = {"ID": str(5861187252886814180 + number), "peerURLs": [f"https://192.0.2.{number}:2380"]}
    return seen | ({"name": name, "clientURLs": [f"https://192.0.2.{number}:2379"]} if started else {})


def answers(
    members: Sequence[str] = NAMES,
    *,
    down: Iterable[str] = (),
    leaderless: Iterable[str] = (),
    unstarted: Iterable[str] = (),
    cluster: rkx.Cluster = THREE,
) -> dict[rkx.step.NodeRequest, rkx.step.NodeResponse]:
    rows = [row(number, name, started=name not in unstarted) for number, name in enumerate(members, start=1)]
    listed = json.dumps({"header": {"raft_term": "2"}, "members": rows})
    found = {}
    for call in PLUGIN.rkx_queries(cluster, keys(*members), [removal(members[0])]):
        state = {"version": "3.6.16"} | (
            {"errors": ["etcdserver: no leader"]} if call.node in leaderless else {"leader": "1"}
        )
        body = {"/v3/cluster/member/list": listed, "/members": json.dumps(rows)}.get(call.path, json.dumps(state))
        found[call] = (
            rkx.step.NodeResponse(status=0)
            if call.node in {*down, *unstarted}
            else rkx.step.NodeResponse(status=200, body=body)
        )
    return found


def updates(
    changes: Sequence[rkx.action.ContainerAction],
    seen: rkx.step.Responses,
    cluster: rkx.Cluster = THREE,
    applied: Sequence[rkx.ContainerKey] = tuple(keys(*NAMES)),
) -> list[rkx.NodeUpdate]:
    found = PLUGIN.rkx_updates(cluster, applied, changes, seen)
    groups = [each for each in found if isinstance(each, rkx.RolloutGroup)]
    assert groups == ([rkx.RolloutGroup(name="etcd", max_unavailable=1)] if found else [])
    planned = {action.key for action in changes}
    made = [each for each in found if isinstance(each, rkx.NodeUpdate)]
    assert all(update.keys and planned.issuperset(update.keys) for update in made)
    return made


def verbs(update: rkx.NodeUpdate) -> tuple[list[str], list[str]]:
    return [step.verb for step in update.pre_steps], [step.verb for step in update.post_steps]


def verdict(verb: str, subject: str, seen: rkx.step.Responses) -> rkx.step.Verdict:
    return PLUGIN.rkx_step(rkx.step.Step(verb=verb, subject=subject, reason="", queries=tuple(seen)), seen)


def silent(cluster: rkx.Cluster = THREE) -> dict[rkx.step.NodeRequest, rkx.step.NodeResponse]:
    return dict.fromkeys(answers(cluster=cluster), rkx.step.NodeResponse(status=0))


def test_members_are_asked_nothing_where_none_of_them_changes() -> None:
    other = rkx.action.RemoveContainer(key=rkx.ContainerKey("a", "kubelet"), reason="no longer wanted")
    assert PLUGIN.rkx_queries(THREE, keys(*NAMES), [other]) == []
    assert updates([other], {}) == []


def test_a_single_member_is_asked_nothing_and_guarded_by_nothing() -> None:
    assert PLUGIN.rkx_queries(CLUSTER, keys("one"), change(ReplaceContainer, "one")) == []
    for kind in (CreateContainer, ReplaceContainer, RestartContainer, StartContainer):
        assert updates(change(kind, "one"), {}, CLUSTER, keys("one")) == []


@pytest.mark.parametrize("seen", [answers(), silent()], ids=["answering", "silent"])
@pytest.mark.parametrize("kind", [ReplaceContainer, RestartContainer])
def test_changed_members_go_one_after_the_other_guarded_and_healthy_again(kind: Kind, seen: rkx.step.Responses) -> None:
    found = updates(change(kind, "c", "a", "b"), seen)
    assert [update.node for update in found] == ["a", "b", "c"]
    assert all(verbs(update) == (["guard"], ["healthy"]) for update in found)
    assert [update.keys for update in found] == [(key,) for key in keys(*NAMES)]


def test_what_takes_no_member_away_is_not_held_up() -> None:
    assert updates(change(UpdateContainer, "a"), answers()) == []
    assert [verbs(update) for update in updates(change(StartContainer, "a"), silent())] == [([], [])]


def test_a_first_start_has_nothing_to_protect() -> None:
    assert updates(change(CreateContainer, *NAMES), silent(), applied=()) == []


def test_a_first_start_that_was_cut_goes_on() -> None:
    [update] = updates(change(CreateContainer, "c"), answers(unstarted=("c",)), applied=keys("a", "b"))
    assert verbs(update) == ([], [])


def test_a_first_start_that_was_cut_goes_on_by_the_word_of_a_member_that_waits_for_the_others() -> None:
    seen = silent()
    [call] = [call for call in seen if (call.node, call.path) == ("a", "/members")]
    assert (call.method, call.port) == ("GET", 2380)
    rows = [{"id": n, "name": name, "peerURLs": [f"https://192.0.2.{n}:2380"]} for n, name in enumerate(NAMES, 1)]
    seen[call] = rkx.step.NodeResponse(status=200, body=json.dumps(rows))
    [update] = updates(change(CreateContainer, "b", "c"), seen, applied=keys("a"))
    assert (set(update.keys), verbs(update)) == (set(keys("b", "c")), ([], []))


@pytest.mark.parametrize("applied", [("a",), ("a", "b", "c")])
@pytest.mark.parametrize("is_silent", [False, True])
def test_a_new_member_beside_an_existing_cluster_is_refused(applied: Sequence[str], is_silent: bool) -> None:
    grown = replace(THREE, nodes=(*THREE.nodes, machine("d", 4, "etcd")))
    seen = silent(grown) if is_silent else answers(applied, cluster=grown)
    [update] = updates(change(CreateContainer, "d"), seen, grown, keys(*applied))
    assert verbs(update) == (["join"], [])
    found = verdict("join", "d", seen)
    assert isinstance(found, rkx.step.Refuse)
    assert "d would become a new member" in found.why


def test_silence_of_the_only_member_founds_no_second_cluster() -> None:
    found = updates(change(CreateContainer, "b", "c"), silent(), applied=keys("a"))
    assert [(update.node, verbs(update)) for update in found] == [("b", (["join"], [])), ("c", (["join"], []))]


def test_what_the_list_lacks_is_new_even_if_an_earlier_run_noted_it() -> None:
    [update] = updates(change(CreateContainer, "c"), answers(("a", "b")), applied=keys(*NAMES))
    assert verbs(update) == (["join"], [])


def test_what_was_half_replaced_is_no_new_member() -> None:
    half = [*keys("a", "b"), rkx.ContainerKey("c", "etcd-former")]
    [update] = updates(change(CreateContainer, "c"), silent(), applied=half)
    assert verbs(update) == (["repair"], ["healthy"])


def test_one_deleted_container_waits_for_the_majority_that_knows_it() -> None:
    for seen in (answers(down=("c",)), silent()):
        [update] = updates(change(CreateContainer, "c"), seen)
        assert verbs(update) == (["repair"], ["healthy"])
    assert verdict("repair", "c", answers(down=("c",))) == rkx.step.Done()
    assert isinstance(verdict("repair", "c", answers(down=("b", "c"))), rkx.step.Wait)
    assert isinstance(verdict("repair", "c", answers(down=("c",), leaderless=("a", "b"))), rkx.step.Wait)
    assert isinstance(verdict("repair", "c", silent()), rkx.step.Wait)
    assert isinstance(verdict("repair", "c", answers(("a", "b"))), rkx.step.Refuse)


@pytest.mark.parametrize("seen", [answers(down=("b", "c"), leaderless=("a",)), silent()])
def test_members_without_whom_there_is_no_majority_come_back_together_and_before_others_change(
    seen: rkx.step.Responses,
) -> None:
    found = updates([*change(ReplaceContainer, "a"), *change(CreateContainer, "b"), *change(StartContainer, "c")], seen)
    assert [(set(update.keys), verbs(update)) for update in found] == [
        (set(keys("b", "c")), ([], [])),
        (set(keys("a")), (["guard"], ["healthy"])),
    ]


@pytest.mark.parametrize("seen", [answers(), silent()], ids=["answering", "silent"])
def test_no_member_is_taken_away(seen: rkx.step.Responses) -> None:
    shrunk = replace(THREE, nodes=THREE.nodes[:2])
    found = updates([removal("c"), *change(ReplaceContainer, "a")], seen, shrunk)
    assert [(update.node, verbs(update)[0]) for update in found] == [("c", ["leave"]), ("a", ["guard"])]
    refused = verdict("leave", "c", seen)
    assert isinstance(refused, rkx.step.Refuse)
    assert "keep c" in refused.hint


@pytest.mark.parametrize(
    ("members", "down", "leaderless", "expected"),
    [
        (NAMES, (), (), rkx.step.Done),
        (NAMES, ("b",), (), rkx.step.Refuse),
        (NAMES, ("a",), (), rkx.step.Done),
        (NAMES, ("a", "b"), (), rkx.step.Refuse),
        (NAMES, ("a", "b"), ("c",), rkx.step.Done),
        (NAMES, (), ("b",), rkx.step.Wait),
        (NAMES, (), NAMES, rkx.step.Wait),
        (NAMES, NAMES, (), rkx.step.Refuse),
        (("a", "b"), (), (), rkx.step.Done),
        (("a", "b"), ("b",), (), rkx.step.Refuse),
        (("a", "b"), ("a",), ("b",), rkx.step.Done),
    ],
)
def test_guard_lets_a_member_go_while_enough_others_serve(
    members: Sequence[str], down: Sequence[str], leaderless: Sequence[str], expected: type[rkx.step.Verdict]
) -> None:
    assert isinstance(verdict("guard", "a", answers(members, down=down, leaderless=leaderless)), expected)


@pytest.mark.parametrize(
    ("down", "leaderless", "expected"),
    [((), (), rkx.step.Done), (("a",), (), rkx.step.Wait), ((), ("a",), rkx.step.Wait)],
)
def test_healthy_wants_a_member_that_knows_a_leader(
    down: Sequence[str], leaderless: Sequence[str], expected: type[rkx.step.Verdict]
) -> None:
    assert isinstance(verdict("healthy", "a", answers(down=down, leaderless=leaderless)), expected)


@pytest.mark.parametrize(
    "body", ["", "[" * 5000, "7", "[]", "{}", '{"members": 7}', '{"members": [7]}', '{"members": [{"peerURLs": []}]}']
)
def test_who_answers_in_no_form_that_can_be_read_is_silent(body: str) -> None:
    call = rkx.step.NodeRequest(node="one", port=2379, path=LIST, identity="", authority="", method="POST", body="{}")
    calls = [call, replace(call, path=STATUS), replace(call, path=PEERS)]
    assert members({each: rkx.step.NodeResponse(status=200, body=body) for each in calls}) == {}
