"""Which Nodes rkx cordoned itself, by its own mark: no other one is uncordoned. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rkx.model.action import Action, CordonNode, UncordonNode
from rkx.model.cluster import Cluster
from rkx.reconcile.answers import Said, of_api

MARK = "rkx/cordoned"
"""The annotation of a Node that rkx cordoned."""


def is_marked(node: Said) -> bool:
    """Return whether rkx cordoned a Node."""
    return MARK in node.table("metadata").labels("annotations")


def left_cordoned(cluster: Cluster, nodes: Mapping[str, Mapping[str, Any]], actions: Iterable[Action]) -> list[str]:
    """Name the nodes of a cluster that an earlier run cordoned, and that these actions neither cordon nor uncordon."""
    planned = {action.node for action in actions if isinstance(action, CordonNode | UncordonNode)}
    ours = {node.name for node in cluster.nodes} & nodes.keys() - planned
    return sorted(name for name in ours if is_marked(of_api(nodes[name], f"Node {name}")))
