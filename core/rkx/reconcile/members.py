"""Which nodes keep the lock and copies of the state: by cluster.yml, and by the state that a run began with.

Whoever has another cluster.yml, or changes roles in it, meets the others on the nodes that the state names.
"""

from __future__ import annotations

from collections.abc import Container

from msgspec.structs import replace

from rkx.model.cluster import Cluster
from rkx.model.node import Node
from rkx.reconcile.state import NodeRecord, State
from rkx.reconcile.state_copies import keepers


def node_of(name: str, record: NodeRecord) -> Node:
    """Return a node as the state knows it."""
    return Node(
        name=name,
        address=record.address,
        internal_address=record.internal_address,
        roles=frozenset(record.roles),  # type: ignore[arg-type] # written from roles
        transport=record.transport,
        transport_options=record.options,
    )


def departed(cluster: Cluster, state: State, seen: Container[str]) -> list[str]:
    """Return the nodes that left cluster.yml and answer; one that is silent stays a member until it does."""
    kept = {node.name for node in cluster.nodes}
    return sorted(name for name in state.nodes if name not in kept and name in seen)


def _former(cluster: Cluster, began: State) -> Cluster:
    return replace(cluster, nodes=tuple(node_of(name, record) for name, record in began.nodes.items()))


def lock_groups(cluster: Cluster, began: State) -> list[list[str]]:
    """Name the nodes of each group of which a majority must hold the lock: the file's, and the state's."""
    both = [[node.name for node in each.with_role("etcd")] for each in (cluster, _former(cluster, began))]
    return [group for group in both if group]


def keeps_lock(name: str, cluster: Cluster, began: State) -> bool:
    """Return whether a node is one of those."""
    return any(name in group for group in lock_groups(cluster, began))


def all_keepers(cluster: Cluster, began: State) -> set[str]:
    """Name the nodes whose copies tell of other runs: those that keep one, and those that did."""
    return keepers(cluster) | keepers(_former(cluster, began))
