"""What a run works with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from rkx.model.cluster import Cluster
from rkx.reconcile.api_client import ApiClient
from rkx.reconcile.connections import Connections
from rkx.reconcile.link import Link
from rkx.reconcile.node import NodeProgram
from rkx.reconcile.objects import ClusterApi
from rkx.reconcile.state import State
from rkx.reconcile.state_file import StateFile
from rkx.reconcile.state_store import StateStore
from rkx.registry import Plugins


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """One cluster: its file, plugins and state, and the open ways to its nodes and API servers.

    ``programs`` holds rkx-node of each node that was observed. ``allowed_unreachable`` names nodes that may be away.
    ``is_new`` tells that no state was here when the run began. Only with ``writes`` anything is changed.
    """

    cluster: Cluster
    plugins: Plugins
    cluster_file: Path
    store: StateStore
    state_file: StateFile
    connections: Connections
    api: ClusterApi
    allowed_unreachable: frozenset[str] = frozenset()
    is_new: bool = False
    writes: bool = False
    programs: dict[str, NodeProgram] = msgspec.field(default_factory=dict)

    @property
    def state(self) -> State:
        """Return the present state."""
        return self.store.state

    @property
    def path(self) -> Path:
        """Return the place of the state."""
        return self.state_file.path

    @property
    def optional(self) -> frozenset[str]:
        """Name the nodes that hold up no other: those that leave, and those that may be away."""
        return self.allowed_unreachable | (self.state.nodes.keys() - {node.name for node in self.cluster.nodes})


def api_of(cluster: Cluster, store: StateStore, connections: Connections) -> ClusterApi:
    """Return a client for the API servers, through whichever control plane nodes are connected when it asks."""
    names = [node.name for node in cluster.with_role("controlplane")]

    def links() -> list[Link]:
        open_now: Mapping[str, Link] = connections.links
        return [open_now[name] for name in names if name in open_now]

    return ClusterApi(ApiClient(links, store))
