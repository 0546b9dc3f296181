"""The order of a plan: which action waits for which. This is all there is: no phases, no barriers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from msgspec.structs import replace

from rkx.errors import PluginFault
from rkx.model.action import (
    Action,
    ApplyObject,
    CleanNode,
    CordonNode,
    DrainNode,
    KeepContainer,
    KeepPath,
    PathAction,
    SetNodeMetadata,
    TakeStep,
    UncordonNode,
    WaitForNode,
)
from rkx.model.key import CredentialsKey, FileKey, FolderKey, HealthKey, ImageKey, Key, NodeKey, ProgramKey
from rkx.model.milestone import API_READY, After, Milestone, node_started
from rkx.model.plan import Plan
from rkx.model.resource import Container, CredentialRef, File
from rkx.model.update import NodeUpdate, RolloutGroup, action_of
from rkx.reconcile.desired import Desired
from rkx.reconcile.updates import gates

ISSUED = CredentialsKey()
Reached = Mapping[Milestone, Sequence[Key]]


def order(
    actions: Sequence[Action],
    desired: Desired,
    updates: Sequence[NodeUpdate] = (),
    groups: Sequence[RolloutGroup] = (),
) -> tuple[Action, ...]:
    """Write into each action's ``after`` what it must wait for, as far as that is part of the plan."""
    rules = _Rules(actions, desired, updates)
    return _sorted([replace(action, after=rules.after(action)) for action in actions], gates(groups, updates))


class _Rules:
    """What waits for what, with the keys of one plan at hand."""

    def __init__(self, actions: Sequence[Action], desired: Desired, updates: Iterable[NodeUpdate]) -> None:
        self._planned = {action.key for action in actions}
        self._desired, self._reached = desired, milestones(desired)
        self._grants = {each.key for each in desired.objects.values() if each.grants}
        self._early = {action_of(update, step).key for update in updates for step in update.pre_steps}
        self._on: dict[str, list[Key]] = defaultdict(list)
        for action in actions:
            self._on[action.key.node].append(action.key)

    def after(self, action: Action) -> tuple[Key, ...]:
        needed = (*action.after, *self._moments([node_started(_node_of(action))]), *self._needs(action))
        found = {key for key in needed if key in self._planned and key != action.key}
        return tuple(sorted(found, key=lambda each: each.order()))

    def _needs(self, action: Action) -> Iterator[Key]:
        if isinstance(action, PathAction):
            yield ProgramKey(action.key.node)
        if isinstance(action, KeepPath) and isinstance(file := self._desired.path(action.key), File):
            yield from self._of_file(file)
        elif isinstance(action, KeepContainer):
            yield from self._of_container(self._desired.container(action.key))
        elif isinstance(action, CleanNode):
            yield from self._all(action.node, ImageKey)
        elif isinstance(action, TakeStep) or action.key in self._early:
            yield ISSUED  # servers are asked as they are: that they change may be what the step is for
        elif not action.key.node and action.key != ISSUED:
            yield from self._of_cluster(action)

    def _of_file(self, file: File) -> Iterator[Key]:
        if isinstance(file.content, CredentialRef):
            yield ISSUED
        yield from self._moments(file.after)

    def _of_container(self, container: Container) -> Iterator[Key]:
        yield from (ProgramKey(container.node), ImageKey(container.node, container.image))
        if container.probe and container.probe.identity:
            yield ISSUED
        yield from self._all(container.node, FileKey, FolderKey)
        yield from self._moments(container.after)

    def _of_cluster(self, action: Action) -> Iterator[Key]:
        yield from (ISSUED, *self._moments([API_READY]))
        if action.key not in self._grants:
            yield from self._grants
        if isinstance(action, ApplyObject):
            yield from self._moments(self._desired.objects[action.key].after)

    def _all(self, node: str, *kinds: type[Key]) -> Iterator[Key]:
        yield from (key for key in self._on[node] if isinstance(key, kinds))

    def _moments(self, after: Iterable[After]) -> Iterator[Key]:
        yield from (key for moment in after for key in keys_reaching(moment, self._reached))


def about(action: Action) -> str:
    """Name the node that an action is for: on it, or for its object or health; empty where it is the cluster's."""
    if isinstance(action, CordonNode | DrainNode | UncordonNode):
        return action.node
    return action.key.node or _node_of(action)


def _node_of(action: Action) -> str:
    """Name the node whose object or health an action waits for, as that needs its agent; empty for all others."""
    if isinstance(action, SetNodeMetadata):
        return action.key.name
    return action.node if isinstance(action, WaitForNode) else ""


def within(actions: Sequence[Action], plan: Plan, desired: Desired) -> tuple[Action, ...]:
    """Order actions that join a plan which is being carried out: they wait for what of it they need, too."""
    own = {action.key for action in actions}
    return tuple(
        action for action in order([*plan.actions, *actions], desired, plan.updates, plan.groups) if action.key in own
    )


def milestones(desired: Desired) -> Reached:
    """Find the containers that reach each milestone."""
    found: dict[Milestone, list[Key]] = {}
    for resource in desired.resources.values():
        for moment in resource.reaches if isinstance(resource, Container) else ():
            found.setdefault(moment, []).append(resource.key)
    return found


def keys_reaching(moment: After, reached: Reached) -> Sequence[Key]:
    """Return the keys that a moment stands for."""
    if isinstance(moment, Key):
        return [moment]
    return [HealthKey(NodeKey(moment.node))] if moment.name == "node-ready" else reached.get(moment, [])


def _sorted(actions: Sequence[Action], gates: Mapping[object, Iterable[object]]) -> tuple[Action, ...]:
    """Put actions so that each comes after those it waits for; a circle is a fault of the plugins in it."""
    by_key: dict[Key, Action] = {action.key: action for action in actions}
    try:
        sorter = TopologicalSorter[object](gates)
        for key, action in by_key.items():
            sorter.add(key, *action.after)
        ordered = [*sorter.static_order()]
    except CycleError as error:
        raise PluginFault(f"these wait for each other: {', '.join(str(key) for key in error.args[1][1:])}") from None
    return tuple(by_key[key] for key in ordered if isinstance(key, Key) and key in by_key)
