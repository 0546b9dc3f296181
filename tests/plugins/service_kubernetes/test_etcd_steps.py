"""How members of etcd change; the answers have the form that etcd 3.6.16 gave."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace

import pytest
from tests.plugins.service_kubernetes.conftest import CLUSTER, PLAIN, machine

import rkx
from rkx_service_kubernetes import KubernetesService

NAMES = ("a", "b", "c")
THREE = replace(
    CLUSTER, nodes=tuple(machine(name, number, "controlplane", "etcd") for number, name in enumerate(NAMES, 1))
)
PLUGIN = KubernetesService(PLAIN)


def keys(*nodes: str) -> list[rkx.Key]:
    return [rkx.Key(node, "Container", "etcd") for node in nodes]


def change(verb: str, *nodes: str) -> list[rkx.Action]:
    return [rkx.Action(verb=verb, key=key, reason="image changed") for key in keys(*nodes)]  # type: ignore[arg-type] # Verb


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
) -> dict[rkx.Call, rkx.Answer]:
    rows = [row(number, name, started=name not in unstarted) for number, name in enumerate(members, start=1)]
    listed = json.dumps({"header": {"raft_term": "2"}, "members": rows})
    found = {}
    for call in PLUGIN.rkx_asks(cluster, keys(*members)):
        state = {"version": "3.6.16"} | (
            {"errors": ["etcdserver: no leader"]} if call.node in leaderless else {"leader": "1"}
        )
        body = listed if call.path.endswith("list") else json.dumps(state)
        found[call] = rkx.Answer(status=0) if call.node in {*down, *unstarted} else rkx.Answer(status=200, body=body)
    return found


def turns(changes: Sequence[rkx.Action], seen: rkx.Answers, cluster: rkx.Cluster = THREE) -> list[rkx.Turn]:
    found = PLUGIN.rkx_turns(cluster, keys(*NAMES), changes, seen)
    lanes = [each for each in found if isinstance(each, rkx.Lane)]
    assert lanes == ([rkx.Lane(name="etcd", width=1)] if found else [])
    return [each for each in found if isinstance(each, rkx.Turn)]


def verdict(verb: str, subject: str, seen: rkx.Answers) -> rkx.Verdict:
    return PLUGIN.rkx_step(rkx.Step(verb=verb, subject=subject, reason="", asks=tuple(seen)), seen)


def test_a_single_member_is_asked_nothing_and_guarded_by_nothing() -> None:
    assert PLUGIN.rkx_asks(CLUSTER, keys("one")) == []
    assert turns(change("replace", "one"), {}, CLUSTER) == []


def test_replaced_members_go_one_after_the_other_guarded_and_healthy_again() -> None:
    found = turns(change("replace", "c", "a", "b"), answers())
    assert [turn.node for turn in found] == ["a", "b", "c"]
    assert all([step.verb for step in (*turn.enter, *turn.leave)] == ["guard", "healthy"] for turn in found)
    assert [turn.keys for turn in found] == [(key,) for key in keys(*NAMES)]


@pytest.mark.parametrize("verb", ["start", "create", "update"])
def test_what_takes_no_member_away_is_not_held_up(verb: str) -> None:
    assert turns(change(verb, "a"), answers(down=("a",))) == []


def test_a_first_start_has_nothing_to_protect() -> None:
    assert turns(change("create", *NAMES), {call: rkx.Answer(status=0) for call in answers()}) == []


def test_a_first_start_that_was_cut_goes_on() -> None:
    assert turns(change("create", "c"), answers(unstarted=("c",))) == []


def test_a_new_member_beside_an_existing_cluster_is_refused() -> None:
    grown = replace(THREE, nodes=(*THREE.nodes, machine("d", 4, "etcd")))
    [turn] = turns(change("create", "d"), answers(cluster=grown), grown)
    assert [step.verb for step in turn.enter] == ["join"]
    found = verdict("join", "d", answers(cluster=grown))
    assert isinstance(found, rkx.Refuse)
    assert "d would become a new member" in found.why


def test_a_removed_member_leaves_first_and_the_end_of_all_needs_no_leave() -> None:
    shrunk = replace(THREE, nodes=THREE.nodes[:2])
    [turn] = turns(change("remove", "c"), answers(), shrunk)
    assert [step.verb for step in turn.enter] == ["leave"]
    assert turns(change("remove", *NAMES), answers(), shrunk) == []


@pytest.mark.parametrize(
    ("members", "down", "leaderless", "expected"),
    [
        (NAMES, (), (), rkx.Done),
        (NAMES, ("b",), (), rkx.Refuse),
        (NAMES, ("a",), (), rkx.Done),
        (NAMES, ("a", "b"), (), rkx.Done),
        (NAMES, (), ("b",), rkx.Wait),
        (NAMES, NAMES, (), rkx.Wait),
        (("a", "b"), (), (), rkx.Done),
        (("a", "b"), ("b",), (), rkx.Refuse),
    ],
)
def test_guard_lets_a_member_go_while_enough_others_serve(
    members: Sequence[str], down: Sequence[str], leaderless: Sequence[str], expected: type[rkx.Verdict]
) -> None:
    assert isinstance(verdict("guard", "a", answers(members, down=down, leaderless=leaderless)), expected)


@pytest.mark.parametrize(
    ("down", "leaderless", "expected"), [((), (), rkx.Done), (("a",), (), rkx.Wait), ((), ("a",), rkx.Wait)]
)
def test_healthy_wants_a_member_that_knows_a_leader(
    down: Sequence[str], leaderless: Sequence[str], expected: type[rkx.Verdict]
) -> None:
    assert isinstance(verdict("healthy", "a", answers(down=down, leaderless=leaderless)), expected)


def test_leave_asks_another_member_and_is_done_once_the_list_is_without_it() -> None:
    found = verdict("leave", "c", answers())
    assert isinstance(found, rkx.Do)
    [call] = found.calls
    assert (call.node, call.path, json.loads(call.body)) == (
        "a",
        "/v3/cluster/member/remove",
        {"ID": "5861187252886814183"},
    )
    assert verdict("leave", "c", answers(("a", "b"))) == rkx.Done()


def test_leave_works_for_a_dead_member_and_never_breaks_the_majority_that_stays() -> None:
    assert isinstance(verdict("leave", "c", answers(down=("c",))), rkx.Do)
    assert isinstance(verdict("leave", "c", answers(down=("b",))), rkx.Refuse)
    assert isinstance(verdict("leave", "c", answers(down=NAMES)), rkx.Wait)
