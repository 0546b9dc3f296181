"""Copies of the state on nodes: who may keep one, and how much of it is believed.

Only nodes that cluster.yml makes control plane or etcd keep a copy; another node's file of that name is ignored.
"""

from __future__ import annotations

from rkx.errors import ConfigError
from rkx.model.cluster import Cluster
from rkx.model.node import Node, Role
from rkx.reconcile import archives
from rkx.reconcile.answers import refuse_many
from rkx.reconcile.layout import NAMES, STATE_COPY
from rkx.reconcile.link import Link
from rkx.reconcile.state import State
from rkx.reconcile.state_json import StateHeader, header, parse

KEEPERS: frozenset[Role] = frozenset({"controlplane", "etcd"})
"""The roles whose nodes keep a copy."""
_HINT = "delete the file on that node; if no other node has a whole copy, bring the state back from a backup"


def may_keep(node: Node) -> bool:
    """Return whether a node keeps a copy of the state: Docker access there is root over the cluster anyway."""
    return bool(node.roles & KEEPERS)


def keepers(cluster: Cluster) -> set[str]:
    """Name the nodes whose copies count."""
    return {node.name for node in cluster.nodes if may_keep(node)}


def read_header(link: Link) -> StateHeader | None:
    """Read what the file under the copy's name says that it is; None if there is none, or none that is whole."""
    text = _text(link, NAMES["files"])
    return header_in(text, link.name) if text is not None else None


def header_in(text: bytes, node: str) -> StateHeader | None:
    """Read the header of what a node shows as a copy; BadAnswer if reading it would take too much."""
    refuse_many(text, node, STATE_COPY)
    return header(text)


def read_copy(link: Link, through: str = NAMES["files"]) -> State | None:
    """Read a node's copy whole; None if there is none, ConfigError with the node's name if it is not a valid state.

    ``through`` is the container whose binds show it.
    """
    where = f"{link.name}:{STATE_COPY}"
    text = _text(link, through)
    if text is None:
        return None
    try:
        return parse(text, where)
    except ConfigError as error:
        raise ConfigError(error.message, hint=_HINT) from error


def _text(link: Link, through: str) -> bytes | None:
    with link.http() as engine:
        for entry in archives.entries(engine, through, STATE_COPY):
            return entry.content() or b""
    return None
