"""What the state keeps of the cluster's nodes and of the version that runs."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from rkx.model.cluster import Cluster
from rkx.model.node import Node
from rkx.reconcile.context import Context
from rkx.reconcile.immutable import immutable_values
from rkx.reconcile.seen import SeenNode
from rkx.reconcile.state import NodeRecord
from rkx.reconcile.state_store import StateStore
from rkx.reconcile.version_skew import KEPT_AS


def remember_nodes(context: Context, seen: Mapping[str, SeenNode]) -> None:
    """Note in the state which nodes belong to the cluster, as far as they were seen."""
    known = context.state.nodes
    added = {
        node.name: _record(node, known.get(node.name), seen[node.name].facts.engine_id)
        for node in context.cluster.nodes
        if node.name in seen
    }
    immutable = {**immutable_values(context.cluster), **context.state.immutable}
    context.store.change(lambda state: replace(state, nodes={**state.nodes, **added}, immutable=immutable))


def note_first_version(store: StateStore, cluster: Cluster) -> None:
    """Note the version of a new cluster's first container: from then on others are judged by it, whatever fails."""
    if KEPT_AS not in store.state.immutable:
        first = {KEPT_AS: cluster.kubernetes_version}
        store.change(lambda state: replace(state, immutable={**first, **state.immutable}), save=False)


def remember_version(context: Context) -> None:
    """Note which Kubernetes version runs now: the next one is judged by it."""
    version = context.cluster.kubernetes_version
    if context.state.immutable.get(KEPT_AS) != version:
        context.store.change(lambda state: replace(state, immutable={**state.immutable, KEPT_AS: version}))


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
