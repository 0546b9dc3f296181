"""How members of etcd change without a loss: pure, decided from the members' own answers.

A member is called as its node, which is the name it starts with; one that never started has a peer URL only. Whoever
does not answer is down, never gone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import rkx
from rkx_service_kubernetes import etcd
from rkx_service_kubernetes.identities import DATASTORE_CLIENT

LANE = "etcd"
LIST = "/v3/cluster/member/list"
STATUS = "/v3/maintenance/status"
REMOVE = "/v3/cluster/member/remove"
DISTURBING = ("replace", "restart", "remove")
"""Actions that take a running member away; starting what stands still takes nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A member as etcd lists it; ``node`` is its peer URL while it never started.

    ``up`` says that it answers, ``serves`` that it knows a leader too: without one it can neither read nor write.
    """

    id: str
    node: str
    url: str
    learner: bool
    up: bool
    serves: bool


def asks(cluster: rkx.Cluster, applied: Sequence[rkx.Key]) -> list[rkx.Call]:
    """Ask every node that has or had a member, unless there is but one member to speak of."""
    nodes = _nodes(cluster, applied)
    return [_ask(node, path) for node in sorted(nodes) for path in (LIST, STATUS)] if len(nodes) > 1 else []


def turns(cluster: rkx.Cluster, changes: Sequence[rkx.Action], answers: rkx.Answers) -> list[rkx.Turn | rkx.Lane]:
    """Guard each member that a change takes away, one after the other; all at once only when the whole cluster goes."""
    now = members(answers)
    disturbed = {change.key.node: change for change in changes if _disturbs(change)}
    leaving = {name for name, change in disturbed.items() if change.verb == "remove"}
    newcomers = list(_newcomers(cluster, changes, now))
    if (len(now) < 2 and not newcomers) or now.keys() <= leaving:
        return []
    calls = tuple(answers)
    found = [_turn(node.name, calls, enter="join", reason="new in cluster.yml") for node in newcomers]
    found += [_turn(name, calls, enter="leave", reason="no longer in cluster.yml") for name in sorted(leaving)]
    found += [
        _turn(name, calls, enter="guard", leave="healthy", reason=change.reason)
        for name, change in sorted(disturbed.items())
        if name in now.keys() - leaving
    ]
    return [rkx.Lane(name=LANE), *found] if found else []


def decide(step: rkx.Step, answers: rkx.Answers) -> rkx.Verdict:
    """Decide what a step needs next."""
    now = members(answers)
    if not now:
        return rkx.Wait(why="no member of etcd answers")
    me = now.get(step.subject)
    match step.verb:
        case "guard":
            return _guard(me, now)
        case "healthy":
            return rkx.Done() if me and me.serves else rkx.Wait(why=f"{step.subject} does not serve yet")
        case "leave":
            return _leave(me, now)
        case "join":
            return _join(step.subject)
    return rkx.Refuse(why=f"etcd knows no step {step.verb!r}")


def members(answers: rkx.Answers) -> dict[str, Member]:
    """Map names to members, as the first node that answers sees them."""
    states = {call.node: json.loads(body.body) for call, body in answers.items() if _says(STATUS, call, body)}
    for call, answer in answers.items():
        if _says(LIST, call, answer):
            found = (_member(row, states) for row in json.loads(answer.body)["members"])
            return {member.node: member for member in found}
    return {}


def _says(path: str, call: rkx.Call, answer: rkx.Answer) -> bool:
    return call.path == path and answer.status == 200


def _member(row: Mapping[str, Any], states: Mapping[str, Mapping[str, Any]]) -> Member:
    """Read one row; what is false, zero or empty is left out of it."""
    url = row["peerURLs"][0]
    node = row.get("name") or url
    return Member(
        id=row["ID"],
        node=node,
        url=url,
        learner=row.get("isLearner", False),
        up=node in states,
        serves="leader" in states.get(node, {}),
    )


def _guard(me: Member | None, now: dict[str, Member]) -> rkx.Verdict:
    """Let a voter go only while enough others serve; one that is down already takes nothing away.

    One or two voters cannot do without a short break: then all others must serve.
    """
    if me is None or me.learner or not me.up:
        return rkx.Done()
    others = [member for member in now.values() if not member.learner and member is not me]
    voters = len(others) + 1
    return _enough(me, others, min(voters // 2 + 1, voters - 1)) or rkx.Done()


def _leave(me: Member | None, now: dict[str, Member]) -> rkx.Verdict:
    """Take a member out of the list while those that stay have their own majority; it may answer no more."""
    if me is None:
        return rkx.Done()
    others = [member for member in now.values() if not member.learner and member is not me]
    short = None if me.learner else _enough(me, others, len(others) // 2 + 1)
    via = next((member.node for member in others if member.serves), me.node)
    return short or rkx.Do(calls=(_ask(via, REMOVE, ID=me.id),))


def _enough(me: Member, others: Sequence[Member], needed: int) -> rkx.Verdict | None:
    """Tell what keeps a member from going: too few others, or an election that is not over."""
    if sum(member.serves for member in others) >= needed:
        return None
    up = sum(member.up for member in others)
    if up >= needed:
        return rkx.Wait(why="the members of etcd know no leader yet")
    return rkx.Refuse(
        why=f"without {me.node} {up} of {len(others)} members of etcd would serve, {needed} are needed",
        hint="bring the other members up first",
    )


def _join(name: str) -> rkx.Verdict:
    """Refuse: a member that starts on its own beside an existing cluster would found a second one."""
    return rkx.Refuse(
        why=f"{name} would become a new member of an etcd that exists, which this version does not do",
        hint=f"take the role etcd from {name} in cluster.yml",
    )


def _newcomers(cluster: rkx.Cluster, changes: Sequence[rkx.Action], now: Mapping[str, Member]) -> Iterator[rkx.Node]:
    """Find nodes whose etcd is made now and whom an existing cluster does not list."""
    listed = {member.url for member in now.values()}
    created = {change.key.node for change in changes if change.verb == "create" and _is_etcd(change.key)}
    for node in cluster.with_role("etcd"):
        if now and node.name in created and etcd.peer_url(node) not in listed:
            yield node


def _turn(node: str, calls: tuple[rkx.Call, ...], *, enter: str, reason: str, leave: str = "") -> rkx.Turn:
    def step(verb: str) -> tuple[rkx.Step, ...]:
        return (rkx.Step(verb=verb, subject=node, reason=reason, asks=calls),) if verb else ()

    return rkx.Turn(lane=LANE, node=node, enter=step(enter), keys=(etcd.key(node),), leave=step(leave))


def _disturbs(change: rkx.Action) -> bool:
    return _is_etcd(change.key) and change.verb in DISTURBING


def _is_etcd(key: rkx.Key) -> bool:
    return key.kind == "Container" and key.name == etcd.NAME


def _nodes(cluster: rkx.Cluster, applied: Sequence[rkx.Key]) -> set[str]:
    return {node.name for node in cluster.with_role("etcd")} | set(_applied(applied))


def _applied(applied: Sequence[rkx.Key]) -> Iterator[str]:
    return (key.node for key in applied if _is_etcd(key))


def _ask(node: str, path: str, **body: str) -> rkx.Call:
    return rkx.Call(
        node=node,
        port=etcd.CLIENT_PORT,
        path=path,
        identity=DATASTORE_CLIENT,
        authority=rkx.DATASTORE_CA,
        body=json.dumps(body),
    )
