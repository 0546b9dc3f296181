"""What members of etcd say of themselves and of each other.

A member is called as its node, which is the name it starts with; one that was added and never started has a peer URL
only. Whoever does not answer is silent, never gone. While a member waits for a majority after its start it is silent on
the port for clients; on the port for members it tells whom it waits for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Literal

import msgspec

import rkx
from rkx_service_kubernetes import etcd
from rkx_service_kubernetes.identities import DATASTORE_CLIENT

LIST = "/v3/cluster/member/list"
STATUS = "/v3/maintenance/status"
PEERS = "/members"


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A member as etcd lists it; ``node`` is its peer URL while it has no name.

    ``started`` says that it ever served, ``up`` that it answers, ``serves`` that it knows a leader too: without one it
    can neither read nor write.
    """

    node: str
    url: str
    learner: bool
    started: bool
    up: bool
    serves: bool


def queries(
    cluster: rkx.Cluster, applied: Sequence[rkx.ContainerKey], changes: Sequence[rkx.action.ContainerAction]
) -> list[rkx.step.NodeRequest]:
    """Ask every node that has or had a member, if one of them changes and there are others."""
    if not any(is_etcd(change.key) for change in changes):
        return []
    nodes = {node.name for node in cluster.with_role("etcd")} | with_container(applied)
    return [query for node in sorted(nodes) for query in _requests(node)] if len(nodes) > 1 else []


def members(responses: rkx.step.Responses) -> dict[str, Member]:
    """Map names to members, as the first node that answers sees them; empty when all are silent."""
    states = {node: found for node, found in _said(STATUS, responses) if isinstance(found, dict)}
    lists = [found["members"] for _, found in _said(LIST, responses) if isinstance(found, dict) and "members" in found]
    views = [found for _, found in _said(PEERS, responses)]
    rows: list[dict[str, Any]] = next((each for each in [*lists, *views] if _is_list_of_members(each)), [])
    return {member.node: member for member in (_member(row, states) for row in rows)}


def with_container(keys: Sequence[rkx.ContainerKey]) -> set[str]:
    """Name the nodes whose etcd is among the keys; one in the middle of its replacement has a name with an ending."""
    return {key.node for key in keys if key.name.partition("-")[0] == etcd.NAME}


def is_etcd(key: rkx.ContainerKey) -> bool:
    """Tell etcd's container from others."""
    return key.name == etcd.NAME


def _said(path: str, responses: rkx.step.Responses) -> Iterator[tuple[str, Any]]:
    """Return by node what answers to one question say; who answers in no form that can be read is silent, too."""
    for request, response in responses.items():
        if request.path == path and response.status == 200:
            with suppress(ValueError, RecursionError):
                yield request.node, json.loads(response.body)


def _is_list_of_members(found: Any) -> bool:  # noqa: ANN401 - JSON
    return isinstance(found, list) and all(map(_is_member, found))


def _is_member(row: Any) -> bool:  # noqa: ANN401 - JSON
    if not isinstance(row, dict) or not isinstance(row.get("name", ""), str):
        return False
    urls = row.get("peerURLs")
    return isinstance(urls, list) and bool(urls) and isinstance(urls[0], str)


def _member(row: Mapping[str, Any], states: Mapping[str, Mapping[str, Any]]) -> Member:
    """Read one row; what is false, zero or empty is left out of it."""
    url = row["peerURLs"][0]
    node = row.get("name") or url
    return Member(
        node=node,
        url=url,
        learner=bool(row.get("isLearner")),
        started=bool(row.get("clientURLs")),
        up=node in states,
        serves="leader" in states.get(node, {}),
    )


def _requests(node: str) -> Iterator[rkx.step.NodeRequest]:
    for path in (LIST, STATUS):
        yield _request(node, etcd.CLIENT_PORT, path, "POST")
    yield _request(node, etcd.PEER_PORT, PEERS, "GET")


def _request(node: str, port: int, path: str, method: Literal["GET", "POST"]) -> rkx.step.NodeRequest:
    body = "{}" if method == "POST" else ""
    return rkx.step.NodeRequest(
        node=node,
        port=port,
        path=path,
        identity=DATASTORE_CLIENT,
        authority=rkx.identity.DATASTORE_CA,
        method=method,
        body=body,
    )
