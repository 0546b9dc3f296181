"""From what is desired and what was observed to the plan. Pure: no connection, no clock, no argument changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
from msgspec.structs import replace

from rkx.errors import Refused
from rkx.lines import cut
from rkx.model.action import (
    Action,
    ContainerAction,
    CordonNode,
    DeleteNode,
    DrainNode,
    RefreshObjects,
    UncordonNode,
)
from rkx.model.key import ContainerKey, NodeKey
from rkx.model.plan import Confirmation, Plan
from rkx.model.resource import HostCleanup
from rkx.model.step import NodeRequest, Refuse, Responses, Step
from rkx.model.update import NodeUpdate, RolloutGroup
from rkx.reconcile import digest
from rkx.reconcile.data_guard import check_data
from rkx.reconcile.dependents import await_dependents
from rkx.reconcile.desired import Desired, without
from rkx.reconcile.diff import diff_nodes
from rkx.reconcile.diff_objects import diff_objects, is_grave
from rkx.reconcile.drain import left_cordoned
from rkx.reconcile.members import departed
from rkx.reconcile.observation import Observation
from rkx.reconcile.order import order
from rkx.reconcile.preflight import preflight, readable
from rkx.reconcile.seen import SeenNode
from rkx.reconcile.state import State
from rkx.reconcile.take_down import take_down
from rkx.reconcile.unregistered import unregistered
from rkx.reconcile.updates import arranged, check
from rkx.registry import Plugins

LEAVES = "its pods move, its data goes; credentials that were copied there stay valid until they expire"


class Unanswered(msgspec.Struct, frozen=True, kw_only=True):
    """No plan yet: it rests on answers to these queries, which the observation lacks."""

    queries: tuple[NodeRequest, ...]


def plan(plugins: Plugins, desired: Desired, observation: Observation, state: State) -> Plan | Unanswered:
    """Compare what should be with what is.

    Raises PreflightFailed where nodes are unfit, Refused where data or service would be lost.
    """
    warnings = preflight(plugins, desired, observation.nodes, state.cluster_id)
    check_data(desired, _kept(desired, observation), state)
    actions, unknown = _actions(desired, observation, state)
    gone = departed(desired.cluster, state, observation.nodes)
    ordered = order(actions, desired)
    found = _rollout(plugins, desired, observation, state, ordered)
    if isinstance(found, Unanswered):
        return found
    updates = tuple(each for each in found if isinstance(each, NodeUpdate))
    groups = tuple(each for each in found if isinstance(each, RolloutGroup))
    check(groups, updates)
    ordered = _with_steps(ordered, desired, observation, updates, groups)
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


def _rollout(
    plugins: Plugins, desired: Desired, observation: Observation, state: State, actions: Sequence[Action]
) -> Sequence[NodeUpdate | RolloutGroup] | Unanswered:
    """Ask for updates; a container that rkx did not put on a node, whatever its name, is that node's claim alone."""
    recorded = {ContainerKey(name, each) for name, record in state.nodes.items() for each in record.containers}
    ours = recorded | desired.resources.keys()
    changes = [action for action in actions if isinstance(action, ContainerAction) and action.key in ours]
    applied = sorted({*recorded, *(_running(observation, state) & ours)})
    queries = plugins.queries(desired.cluster, applied, changes)
    if unanswered := _unanswered(queries, observation):
        return unanswered
    responses = {query: observation.responses[query] for query in queries}
    found = plugins.updates(desired.cluster, applied, changes, responses)
    return _refused(plugins, desired, [each for each in found if isinstance(each, NodeUpdate)], observation) or found


def _with_steps(
    actions: Sequence[Action],
    desired: Desired,
    observation: Observation,
    updates: Sequence[NodeUpdate],
    groups: Sequence[RolloutGroup],
) -> tuple[Action, ...]:
    """Add what the updates do, and let pods on nodes again that an earlier run cordoned and this one does not."""
    found = arranged(actions, updates)
    found += _forgotten(desired, observation, found)
    return order(found, desired, updates, groups) if len(found) > len(actions) or updates else tuple(actions)


def _forgotten(desired: Desired, observation: Observation, actions: Sequence[Action]) -> Iterator[UncordonNode]:
    nodes = observation.objects.nodes if observation.objects is not None else {}
    seen = {name: each for name, each in nodes.items() if name in observation.nodes}
    for name in left_cordoned(desired.cluster, seen, actions):
        changes = tuple(a.key for a in actions if isinstance(a, ContainerAction) and a.key.node == name)
        yield UncordonNode(node=name, reason="an earlier run cordoned it", after=changes)


def _running(observation: Observation, state: State) -> set[ContainerKey]:
    nodes = observation.nodes.items()
    return {ContainerKey(name, each) for name, seen in nodes for each in seen.ours(state.cluster_id)}


def _unanswered(queries: Sequence[NodeRequest], observation: Observation) -> Unanswered | None:
    left = tuple(query for query in queries if query not in observation.responses)
    return Unanswered(queries=left) if left else None


def _refused(
    plugins: Plugins, desired: Desired, updates: Sequence[NodeUpdate], observation: Observation
) -> Unanswered | None:
    """Refuse now what the updates' steps would refuse later, when half of the run is done."""
    if observation.is_blind:
        return None
    steps = [step for update in updates for step in update.pre_steps if isinstance(step, Step)]
    if unanswered := _unanswered([query for step in steps for query in step.queries], observation):
        return unanswered
    for step in steps:
        verdict = plugins.step(desired.cluster, step, _to(step.queries, observation.responses))
        if isinstance(verdict, Refuse):
            raise Refused(f"{step.verb} {step.subject}: {cut(verdict.why)}", hint=cut(verdict.hint))
    return None


def _to(queries: Sequence[NodeRequest], responses: Responses) -> Responses:
    return {query: responses[query] for query in queries}


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
