"""The order of a plan: which action waits for which. This is all there is: no phases, no barriers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from rkx.engine import told
from rkx.engine.desire import Desired
from rkx.engine.diff import ISSUE, prepare_key
from rkx.engine.diff_objects import ready_key
from rkx.errors import PluginFault
from rkx.model.plan import Action
from rkx.model.resource import Container, File, Key, Milestone, Object, Part, node_started

SURVEY = Key("", "Objects", "all")


def image_key(container: Container) -> Key:
    """Name the pull of a container's image."""
    return Key(container.node, "Image", container.image)


def order(actions: Sequence[Action], desired: Desired) -> tuple[Action, ...]:
    """Write into each action's ``after`` what it must wait for, as far as that is part of the plan."""
    planned = {action.key: action for action in actions}
    reached = milestones(desired)
    grants = {each.key for each in desired.objects.values() if each.grants}

    def needs(action: Action) -> Iterable[Key]:
        node, resource = action.key.node, desired.resources.get(action.key)
        yield from action.after
        if action.key.kind in ("File", "Folder"):
            yield prepare_key(node)
        if action.key == told.KEY or (isinstance(resource, File) and isinstance(resource.content, Part)):
            yield ISSUE
        if action.key.kind == "Machine":
            yield from (key for key in planned if key.node == node and key.kind == "Image")
        if isinstance(resource, Container) and action.verb != "remove":
            yield from (prepare_key(node), image_key(resource))
            yield from (ISSUE,) if resource.probe and resource.probe.identity else ()
            yield from (key for key in planned if key.node == node and key.kind in ("File", "Folder"))
        yield from keys_of(node_started(_node_of(action)), reached)
        waiting = desired.objects.get(action.key) or resource
        if isinstance(waiting, Container | File | Object) and action.verb != "remove":
            yield from (key for moment in waiting.after for key in keys_of(moment, reached))
        if not node and action.key != ISSUE:
            yield from (ISSUE, *keys_of(Milestone("api-ready"), reached))
            yield from grants if action.key not in grants else ()

    ordered = [replace(a, after=tuple(sorted({k for k in needs(a) if k in planned and k != a.key}))) for a in actions]
    return _sorted(ordered)


def about(action: Action) -> str:
    """Name the node that an action is for: on it, or for its object or health; empty where it is the cluster's."""
    return action.key.node or _node_of(action)


def _node_of(action: Action) -> str:
    """Name the node whose object or health an action waits for, as that needs its agent; empty for all others."""
    if action.verb == "update" and action.key.kind == "Node":
        return action.key.name
    health = ready_key("Node", "", "")
    return action.key.name.removeprefix(health.name) if action.key.name.startswith(health.name) else ""


def within(actions: Sequence[Action], plan: Sequence[Action], desired: Desired) -> tuple[Action, ...]:
    """Order actions that join a plan which is being carried out: they wait for what of it they need, too."""
    own = {action.key for action in actions}
    return tuple(action for action in order([*plan, *actions], desired) if action.key in own)


def milestones(desired: Desired) -> dict[Milestone, list[Key]]:
    """Find the containers that reach each milestone."""
    found: dict[Milestone, list[Key]] = {}
    for resource in desired.resources.values():
        for moment in resource.reaches if isinstance(resource, Container) else ():
            found.setdefault(moment, []).append(resource.key)
    return found


def keys_of(moment: Key | Milestone, reached: dict[Milestone, list[Key]]) -> list[Key]:
    """Give the keys that a moment stands for."""
    if isinstance(moment, Key):
        return [moment]
    return [ready_key("Node", "", moment.node)] if moment.name == "node-ready" else reached.get(moment, [])


def _sorted(actions: Sequence[Action]) -> tuple[Action, ...]:
    """Put actions so that each comes after those it waits for; a circle is a fault of the plugins in it."""
    left, done, result = {action.key: action for action in actions}, set[Key](), list[Action]()
    while left:
        ready = [key for key in left if done.issuperset(left[key].after)]
        if not ready:
            raise PluginFault(f"these wait for each other: {', '.join(str(key) for key in left)}")
        result += [left.pop(key) for key in ready]
        done.update(ready)
    return tuple(result)
