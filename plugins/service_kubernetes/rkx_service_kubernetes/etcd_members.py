"""What members of etcd say of themselves and of each other.

A member is called as its node, which is the name it starts with; one that never started has a peer URL only. Whoever
does not answer is silent, never gone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import rkx
from rkx_service_kubernetes import etcd
from rkx_service_kubernetes.identities import DATASTORE_CLIENT

LIST = "/v3/cluster/member/list"
STATUS = "/v3/maintenance/status"


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

    @property
    def started(self) -> bool:
        """Tell if it ever ran: only then it has told its name."""
        return self.node != self.url


def asks(cluster: rkx.Cluster, applied: Sequence[rkx.Key]) -> list[rkx.Call]:
    """Ask every node that has or had a member, unless there is but one member to speak of."""
    nodes = {node.name for node in cluster.with_role("etcd")} | with_container(applied)
    return [_ask(node, path) for node in sorted(nodes) for path in (LIST, STATUS)] if len(nodes) > 1 else []


def members(answers: rkx.Answers) -> dict[str, Member]:
    """Map names to members, as the first node that answers sees them; empty when all are silent."""
    states = {call.node: json.loads(body.body) for call, body in answers.items() if _says(STATUS, call, body)}
    for call, answer in answers.items():
        if _says(LIST, call, answer):
            found = (_member(row, states) for row in json.loads(answer.body)["members"])
            return {member.node: member for member in found}
    return {}


def with_container(keys: Sequence[rkx.Key]) -> set[str]:
    """Name the nodes whose etcd is among the keys; one in the middle of its replacement has a name with an ending."""
    return {key.node for key in keys if key.kind == "Container" and key.name.partition("-")[0] == etcd.NAME}


def is_etcd(key: rkx.Key) -> bool:
    """Tell etcd's container from others."""
    return key.kind == "Container" and key.name == etcd.NAME


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


def _ask(node: str, path: str) -> rkx.Call:
    return rkx.Call(
        node=node,
        port=etcd.CLIENT_PORT,
        path=path,
        identity=DATASTORE_CLIENT,
        authority=rkx.DATASTORE_CA,
    )
