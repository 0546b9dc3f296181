"""What should be, for the nodes that were observed: those that stay, and those that leave."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from msgspec.structs import replace

from rkx.model.facts import Facts
from rkx.reconcile.context import Context
from rkx.reconcile.desired import Desired, describe_cluster, without
from rkx.reconcile.members import departed, node_of
from rkx.reconcile.seen import SeenNode
from rkx.reconcile.state import State


def facts(nodes: Mapping[str, SeenNode], state: State) -> Facts:
    """Return each node's facts: the Engine's, and what rkx-node said last."""
    hosts = {name: record.facts for name, record in state.nodes.items()}
    return {name: replace(seen.facts, host=hosts.get(name)) for name, seen in nodes.items()}


def gather(context: Context, nodes: Mapping[str, SeenNode]) -> Desired:
    """Ask the plugins what should be; nodes that leave are asked for what they would leave behind."""
    now, state = datetime.now(UTC), context.state
    known = facts(nodes, state)
    desired = describe_cluster(context.plugins, context.cluster, known, state, now)
    expected = {name: context.programs[name].expected(layout) for name, layout in desired.layouts.items()}
    desired = replace(desired, programs=expected)
    gone = departed(context.cluster, state, nodes)
    if not gone:
        return desired
    former = tuple(node_of(name, state.nodes[name]) for name in gone)
    whole = replace(context.cluster, nodes=(*context.cluster.nodes, *former))
    return replace(desired, leaving=without(describe_cluster(context.plugins, whole, known, state, now), gone).leaving)
