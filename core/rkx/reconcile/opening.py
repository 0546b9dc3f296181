"""Open a cluster: its state, the connections, and a first look at every node."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import msgspec
from msgspec.structs import replace

from rkx.model.cluster import Cluster
from rkx.model.node import Node
from rkx.model.resource import File, Folder
from rkx.reconcile.connections import Connections, Open
from rkx.reconcile.context import Context, api_of
from rkx.reconcile.desired import Desired
from rkx.reconcile.found_authority import Trust
from rkx.reconcile.found_state import set_paths
from rkx.reconcile.gather import gather
from rkx.reconcile.immutable import check_immutable, renamed
from rkx.reconcile.link import Link
from rkx.reconcile.members import node_of
from rkx.reconcile.object_reader import ObjectPrefetch
from rkx.reconcile.observe import observe
from rkx.reconcile.observer import Observer, judge_lost
from rkx.reconcile.recover import Found, Search, refuse_rke
from rkx.reconcile.seen import SeenNode
from rkx.reconcile.state import State, new_state
from rkx.reconcile.state_file import StateFile
from rkx.reconcile.state_store import StateStore
from rkx.registry import Plugins


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """What a cluster is opened with. With ``objects`` false the cluster's objects will not be compared."""

    cluster: Cluster
    plugins: Plugins
    opens: Open
    cluster_file: Path
    state_file: StateFile
    allowed_unreachable: frozenset[str] = frozenset()
    replacing: frozenset[str] = frozenset()
    trust: Trust = Trust()
    writes: bool = False
    objects: bool = True

    def context(self, state: State, connections: Connections, *, is_new: bool) -> Context:
        """Return what the run works with, once its state is known."""
        cluster = replace(self.cluster, id=state.cluster_id)
        store = StateStore(state, self.state_file if self.writes else None)
        return Context(
            cluster=cluster,
            plugins=self.plugins,
            cluster_file=self.cluster_file,
            store=store,
            state_file=self.state_file,
            connections=connections,
            api=api_of(cluster, store, connections),
            allowed_unreachable=self.allowed_unreachable,
            is_new=is_new,
            writes=self.writes,
        )


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """An open cluster, what was seen of it, and the look at its objects that has begun."""

    context: Context
    observer: Observer
    prefetch: ObjectPrefetch


@contextmanager
def opened(opening: Opening) -> Iterator[Opened]:
    """Read the state, connect to every node, and look at each; a lost state is found again on the nodes."""
    with ExitStack() as stack:
        connections = Connections(opening.opens, relays=opening.writes)
        stack.callback(connections.close)
        state = opening.state_file.load()
        open_ways = _search if state is None else partial(_reach, state)
        yield open_ways(opening, connections, stack)


def _reach(state: State, opening: Opening, connections: Connections, stack: ExitStack) -> Opened:
    """Connect to the nodes of the file and of the state, and look at each as soon as it is there."""
    context = opening.context(state, connections, is_new=False)
    stack.callback(context.api.close)
    prefetch = ObjectPrefetch(context.api, state if opening.objects else None, opening.cluster)
    stack.callback(prefetch.close)
    seen: dict[str, SeenNode] = {}

    def look(link: Link) -> None:
        prefetch.begin(link)
        seen[link.name] = observe(link, state.key)

    lost = connections.reach(_all_nodes(opening.cluster, state), look)
    judge_lost(lost, opening.cluster, opening.allowed_unreachable)
    observer = Observer(context, unreachable=lost)
    observer.remember(seen)
    _check(context, observer, opening.replacing)
    return Opened(context=context, observer=observer, prefetch=prefetch)


def _search(opening: Opening, connections: Connections, stack: ExitStack) -> Opened:
    """Connect to the nodes of the file, and look for a lost state there; without one a new cluster begins."""
    lost = connections.reach(opening.cluster.nodes)
    judge_lost(lost, opening.cluster, opening.allowed_unreachable)
    found = _found(opening, connections)
    context = opening.context(found.state if found else new_state(), connections, is_new=True)
    stack.callback(context.api.close)
    observer = Observer(context, unreachable=lost, findings=found.told if found else ())
    observer.look()
    _check(context, observer, opening.replacing)
    if found:
        described = gather(context, observer.nodes)
        set_paths(context.store, {name: _paths(described, name) for name in context.state.nodes})
    return Opened(context=context, observer=observer, prefetch=ObjectPrefetch(context.api, None, opening.cluster))


def _all_nodes(cluster: Cluster, state: State) -> list[Node]:
    named = {node.name: node for node in cluster.nodes}
    return [*named.values(), *(node_of(name, record) for name, record in state.nodes.items() if name not in named)]


def _found(opening: Opening, connections: Connections) -> Found | None:
    """Look for a lost state on the nodes that cluster.yml names; no copy says which others there are."""
    path = opening.state_file.path
    refuse_rke(opening.cluster, path)
    return Search(
        links=connections.links, cluster=opening.cluster, path=path, trust=opening.trust, writes=opening.writes
    ).found()


def _check(context: Context, observer: Observer, replacing: frozenset[str]) -> None:
    """Refuse machines, copies and settings that a run must not go on with."""
    observer.check_machines(replacing)
    observer.judge_copies()
    check_immutable(context.cluster, context.state)
    observer.findings += renamed(context.cluster, context.state)
    observer.replace(replacing)


def _paths(desired: Desired, node: str) -> set[str]:
    return {str(each.path) for each in desired.on(node) if isinstance(each, File | Folder)}
