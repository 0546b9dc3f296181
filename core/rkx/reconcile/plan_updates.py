"""What goes node by node in a plan: the updates that plugins claim, and the steps around them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from rkx.errors import Refused
from rkx.lines import cut
from rkx.model.action import Action, ContainerAction, UncordonNode
from rkx.model.key import ContainerKey
from rkx.model.step import NodeRequest, Refuse, Responses, Step
from rkx.model.update import NodeUpdate, RolloutGroup
from rkx.reconcile.cordon_marks import left_cordoned
from rkx.reconcile.desired import Desired
from rkx.reconcile.observation import Observation
from rkx.reconcile.order import order
from rkx.reconcile.state import State
from rkx.reconcile.updates import arranged
from rkx.registry import Plugins


class Unanswered(msgspec.Struct, frozen=True, kw_only=True):
    """No plan yet: it rests on answers to these queries, which the observation lacks."""

    queries: tuple[NodeRequest, ...]


def claimed(
    plugins: Plugins, desired: Desired, observation: Observation, state: State, actions: Sequence[Action]
) -> Sequence[NodeUpdate | RolloutGroup] | Unanswered:
    """Ask plugins for updates, and for the answers that these rest on.

    A container that rkx did not put on a node, whatever its name, is that node's claim alone. Raises Refused for
    what a step would refuse later.
    """
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


def with_steps(
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
