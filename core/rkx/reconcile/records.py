"""What the state keeps of the cluster's nodes and of the version that runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from rkx.model.cluster import Cluster
from rkx.model.node import Node
from rkx.reconcile.birth import births
from rkx.reconcile.context import Context
from rkx.reconcile.seen import SeenNode
from rkx.reconcile.state import NodeRecord
from rkx.reconcile.state_store import StateStore

VERSION = "kubernetes_version"


def remember_nodes(context: Context, seen: Mapping[str, SeenNode]) -> None:
    """Note in the state which nodes belong to the cluster, as far as they were seen."""
    known = context.state.nodes
    added = {
        node.name: _record(node, known.get(node.name), seen[node.name].facts.engine_id)
        for node in context.cluster.nodes
        if node.name in seen
    }
    birth = {**births(context.cluster), **context.state.birth}
    context.store.change(lambda state: replace(state, nodes={**state.nodes, **added}, birth=birth))


def note_first_version(store: StateStore, cluster: Cluster) -> None:
    """Note the version of a new cluster's first container: from then on others are judged by it, whatever fails."""
    if VERSION not in store.state.birth:
        first = {VERSION: cluster.kubernetes_version}
        store.change(lambda state: replace(state, birth={**first, **state.birth}), save=False)


def remember_version(context: Context) -> None:
    """Note which Kubernetes version runs now: the next one is judged by it."""
    version = context.cluster.kubernetes_version
    if context.state.birth.get(VERSION) != version:
        context.store.change(lambda state: replace(state, birth={**state.birth, VERSION: version}))


def _record(node: Node, former: NodeRecord | None, engine_id: str) -> NodeRecord:
    base = former or NodeRecord(address="", internal_address="", roles=())
    return replace(
        base,
        address=node.address,
        internal_address=node.internal_address,
        roles=tuple(sorted(node.roles)),
        transport=node.transport,
        options=node.transport_options,
        engine_id=base.engine_id or engine_id,  # another one notes `prepare`
    )
