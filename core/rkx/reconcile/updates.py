"""Make the steps of updates actions of the plan, each after what it waits for. Pure: nothing is asked or changed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from msgspec.structs import replace

from rkx.errors import PluginFault
from rkx.model.action import Action
from rkx.model.key import Key, SlotKey
from rkx.model.step import Step
from rkx.model.update import NodeUpdate, RolloutGroup, action_of, keys_of


def slots(updates: Iterable[NodeUpdate]) -> dict[SlotKey, NodeUpdate]:
    """Number updates in their order."""
    return {SlotKey(each.node, each.group, number): each for number, each in enumerate(updates)}


def arranged(actions: Sequence[Action], updates: Iterable[NodeUpdate]) -> list[Action]:
    """Add the steps of updates to actions, which are in their order, and let claimed ones wait for them."""
    found: dict[Key, Action] = {action.key: action for action in actions}
    places: dict[Key, int] = {action.key: place for place, action in enumerate(actions)}
    for update in updates:
        for action in _chained(update, found, places):
            found[action.key] = action
    return [*found.values()]


def _chained(update: NodeUpdate, found: Mapping[Key, Action], places: Mapping[Key, int]) -> list[Action]:
    """Return an update's actions, each with what it waits for: steps before, then what it claims, then steps after.

    The first step waits for what the claimed actions need of others: no node is away for longer than its changes take.
    """
    claimed = [found[key] for key in update.keys if key in places]
    before = [_merged(action_of(update, step), found) for step in update.pre_steps]
    behind = [_merged(action_of(update, step), found) for step in update.post_steps]
    last = tuple(action.key for action in before[-1:])
    ends = tuple(action.key for action in claimed) or last
    return [
        *_one_by_one(before, _needs(claimed, found, places)),
        *(replace(action, after=(*action.after, *last)) for action in claimed),
        *_one_by_one(behind, ends),
    ]


def _merged(action: Action, found: Mapping[Key, Action]) -> Action:
    """Keep what an action waits for that is planned anyway, as a wait for a Node may be."""
    return replace(action, after=(*action.after, *found[action.key].after)) if action.key in found else action


def _one_by_one(actions: Sequence[Action], first: tuple[Key, ...]) -> list[Action]:
    waits = [first, *((action.key,) for action in actions)]
    return [replace(action, after=(*action.after, *after)) for action, after in zip(actions, waits, strict=False)]


def _needs(claimed: Sequence[Action], found: Mapping[Key, Action], places: Mapping[Key, int]) -> tuple[Key, ...]:
    """Return what claimed actions wait for, but for what waits for one of them itself."""
    own: set[Key] = {action.key for action in claimed}
    direct: set[Key] = {key for action in claimed for key in action.after} - own
    every, todo = {*direct}, [*direct]
    while len(own) > 1 and todo:  # one alone waits for nothing that waits for it
        more: set[Key] = {key for key in found[todo.pop()].after if key in places} - every - own
        every |= more
        todo += more
    for key in sorted(every, key=lambda key: places.get(key, -1)):
        if not own.isdisjoint(found[key].after):
            own.add(key)
    return tuple(direct - own)


def check(groups: Sequence[RolloutGroup], updates: Sequence[NodeUpdate]) -> None:
    """Refuse groups and updates that could never go; PluginFault names what is wrong."""
    names = {group.name for group in groups}
    for group in groups:
        if group.max_unavailable < 1:
            raise PluginFault(f"rollout group {group.name!r} lets {group.max_unavailable} updates in at a time")
    if strange := sorted({name for group in groups for name in group.after} - names):
        raise PluginFault(f"rollout group {strange[0]!r}, after which another one goes, is not known")
    for update in updates:
        if update.group not in names:
            raise PluginFault(f"{update.owner}: an update of {update.node} is in group {update.group!r}, not known")
        _refuse_strange(update)
    _refuse_twice([group.name for group in groups], "rollout groups")
    _refuse_twice([key for update in updates for key in keys_of(update)], "updates")
    _refuse_circles(groups)


def _refuse_strange(update: NodeUpdate) -> None:
    """Refuse core's own steps with another node than the update's: those are counted as unavailable by it."""
    for step in (*update.pre_steps, *update.post_steps):
        if not isinstance(step, Step) and step.node != update.node:
            raise PluginFault(f"{update.owner}: an update of {update.node} has a step of {step.node}: {step.key}")


def _refuse_twice(found: Iterable[object], where: str) -> None:
    if twice := [each for each, times in Counter(found).items() if times > 1]:
        raise PluginFault(f"{twice[0]} is in two {where}")


def _refuse_circles(groups: Sequence[RolloutGroup]) -> None:
    try:
        TopologicalSorter({group.name: group.after for group in groups}).prepare()
    except CycleError as error:
        raise PluginFault(f"these rollout groups wait for each other: {', '.join(error.args[1][1:])}") from None


def gates(groups: Sequence[RolloutGroup], updates: Sequence[NodeUpdate]) -> dict[object, list[object]]:
    """Return what waits for what where each group, by its name, lets one update in at a time.

    What has an order then, has one for every width.
    """
    last: dict[object, list[object]] = {group.name: [*group.after] for group in groups}
    found: defaultdict[object, list[object]] = defaultdict(list)
    for slot, update in slots(updates).items():
        found[slot] = last[update.group]
        last[update.group] = [slot, *keys_of(update)]
        for key in keys_of(update):
            found[key].append(slot)
    return {**found, **last}
