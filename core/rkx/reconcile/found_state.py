"""What of a found state counts: what its keepers may say, and the paths that plugins describe."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from msgspec.structs import replace

from rkx.model.cluster import Cluster
from rkx.reconcile.state import NodeRecord, State
from rkx.reconcile.state_store import StateStore


def believed(state: State, cluster: Cluster) -> State:
    """Keep of a copy what its keepers may say; how nodes are reached, and which there are, says cluster.yml alone.

    Paths are left out: ``set_paths`` takes them from what the plugins describe.
    """
    wanted = {node.name: node for node in cluster.nodes}
    nodes = {
        name: replace(record, transport=wanted[name].transport, options=wanted[name].transport_options, paths=())
        for name, record in state.nodes.items()
        if name in wanted
    }
    return replace(state, nodes=nodes)


def set_paths(store: StateStore, described: Mapping[str, set[str]]) -> None:
    """Set the paths of a found state to those that plugins describe for each node: none is taken from a copy.

    It is saved at once: it was lost here, and the operator should have it again, whatever the run will do.
    """
    for name, paths in described.items():
        store.note_node(name, partial(_with_paths, paths))
    store.save()


def _with_paths(described: set[str], record: NodeRecord) -> NodeRecord:
    """Return a believed record its paths; of folders that lay there before, those that are described."""
    former = tuple(each for each in record.former if each.path in described)
    return replace(record, former=former, paths=tuple(sorted(described - {each.path for each in former})))
