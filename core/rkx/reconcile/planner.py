"""From what is desired and what was observed to the plan. Pure: no connection, no clock, no argument changed."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from rkx.model.action import (
    Action,
    CordonNode,
    DeleteNode,
    DrainNode,
    RefreshObjects,
)
from rkx.model.key import NodeKey
from rkx.model.plan import Confirmation, Plan
from rkx.model.resource import HostCleanup
from rkx.model.update import NodeUpdate, RolloutGroup
from rkx.reconcile import digest
from rkx.reconcile.data_guard import check_data
from rkx.reconcile.dependents import await_dependents
from rkx.reconcile.desired import Desired, without
from rkx.reconcile.diff import diff_nodes
from rkx.reconcile.diff_objects import diff_objects, is_grave
from rkx.reconcile.members import departed
from rkx.reconcile.observation import Observation
from rkx.reconcile.order import order
from rkx.reconcile.plan_updates import Unanswered, claimed, with_steps
from rkx.reconcile.preflight import preflight, readable
from rkx.reconcile.seen import SeenNode
from rkx.reconcile.state import State
from rkx.reconcile.take_down import take_down
from rkx.reconcile.unregistered import unregistered
from rkx.reconcile.updates import check
from rkx.registry import Plugins

LEAVES = "its pods move, its data goes; credentials that were copied there stay valid until they expire"


def plan(plugins: Plugins, desired: Desired, observation: Observation, state: State) -> Plan | Unanswered:
    """Compare what should be with what is.

    Raises PreflightFailed where nodes are unfit, Refused where data or service would be lost.
    """
    warnings = preflight(plugins, desired, observation.nodes, state.cluster_id)
    check_data(desired, _kept(desired, observation), state)
    actions, unknown = _actions(desired, observation, state)
    gone = departed(desired.cluster, state, observation.nodes)
    ordered = order(actions, desired)
    found = claimed(plugins, desired, observation, state, ordered)
    if isinstance(found, Unanswered):
        return found
    updates = tuple(each for each in found if isinstance(each, NodeUpdate))
    groups = tuple(each for each in found if isinstance(each, RolloutGroup))
    check(groups, updates)
    ordered = with_steps(ordered, desired, observation, updates, groups)
    dangers = [Confirmation(what=f"remove node {name}", why=LEAVES) for name in gone]
    dangers += _of_machines(desired, observation, state)
    dangers += [Confirmation(what=f"delete {a.key}", why="all that belongs to it goes") for a in actions if is_grave(a)]
    return Plan(
        cluster=desired.cluster.name,
        actions=ordered,
        digest=digest.of_all(state.key, desired.written_by(ordered)),
        updates=updates,
        groups=groups,
        unknown=unknown,
        confirmations=tuple(dangers),
        unreachable=observation.unreachable,
        findings=tuple(map(readable, (*observation.findings, *warnings))),
        risks=desired.cluster.risks,
    )


def _kept(desired: Desired, observation: Observation) -> dict[str, SeenNode]:
    return {name: each for name, each in observation.nodes.items() if name in desired.layouts}


def _actions(desired: Desired, observation: Observation, state: State) -> tuple[list[Action], tuple[str, ...]]:
    seen = _kept(desired, observation)
    actions: list[Action] = diff_nodes(desired, seen, state)
    actions += unregistered(desired, actions, observation)
    actions += await_dependents(desired, actions, seen)
    actions += _departures(desired, observation, state)
    if observation.objects is None:
        reason = f"unknown until the API answers: up to {len(desired.objects)} objects"
        return [*actions, RefreshObjects(reason=reason)], ("objects",)
    partial = bool(observation.unreachable)
    return [*actions, *diff_objects(desired, observation.objects, state, partial=partial)], ()


def _departures(desired: Desired, observation: Observation, state: State) -> Iterator[Action]:
    for name in departed(desired.cluster, state, observation.nodes) if desired.cluster.nodes else ():
        why = "no longer in cluster.yml"
        cordon = CordonNode(node=name, reason=why)
        drain = DrainNode(node=name, reason=why, after=(cordon.key,))
        leave = DeleteNode(key=NodeKey(name), reason=why, after=(drain.key,))
        downs = take_down(name, observation.nodes[name], state, _leaves(desired, name))
        yield from (cordon, drain, leave)
        yield from (replace(action, after=(*action.after, leave.key)) for action in downs)


def _leaves(desired: Desired, node: str) -> list[HostCleanup]:
    return [each for each in desired.leaving.get(node, ()) if isinstance(each, HostCleanup)]


def _of_machines(desired: Desired, observation: Observation, state: State) -> Iterator[Confirmation]:
    lost = "what lies on the former machine stays there, and its credentials stay valid until they expire"
    for name in sorted(observation.replaced):
        yield Confirmation(what=f"replace node {name}", why=lost)
    for node in desired.cluster.nodes:
        record = state.nodes.get(node.name)
        if record is not None and "controlplane" in record.roles and not node.has("controlplane"):
            why = "its API server and its copy of the state go"
            yield Confirmation(what=f"take the control plane from {node.name}", why=why)


def plan_removal(desired: Desired, observation: Observation, state: State) -> Plan:
    """Plan for nothing: every node is taken down. ``desired`` wants nothing, and says what the nodes leave."""
    actions = [
        action
        for name, seen in sorted(observation.nodes.items())
        for action in take_down(name, seen, state, _leaves(desired, name))
    ]
    danger = Confirmation(what=f"remove the whole cluster {desired.cluster.name!r}", why="all of its data goes")
    return Plan(
        cluster=desired.cluster.name,
        actions=order(actions, desired),
        confirmations=(danger,) if actions else (),
        unreachable=observation.unreachable,
        findings=tuple(map(readable, observation.findings)),
    )


def removal_of(desired: Desired, observation: Observation) -> Desired:
    """Want nothing any more; keep what the nodes would leave behind."""
    return without(desired, [*observation.nodes])
