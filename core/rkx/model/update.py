"""Updates of nodes: steps before and after changes, and how many nodes may be away meanwhile."""

from __future__ import annotations

from typing import TypeAlias

import msgspec
from msgspec.structs import replace

from rkx.model.action import Action, CordonNode, DrainNode, TakeStep, UncordonNode, WaitForNode
from rkx.model.key import ContainerKey, Key
from rkx.model.step import Step

UpdateStep: TypeAlias = Step | CordonNode | DrainNode | UncordonNode | WaitForNode


class NodeUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """Steps before and after the changes of one node, one after the other; ``keys`` are the changes it claims.

    It may consist of steps alone. Steps are a plugin's own, or core's.
    """

    group: str
    node: str
    pre_steps: tuple[UpdateStep, ...] = ()
    keys: tuple[ContainerKey, ...] = ()
    post_steps: tuple[UpdateStep, ...] = ()
    owner: str = ""


class RolloutGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Lets ``max_unavailable`` updates in at a time, in their order, once the groups in ``after`` are complete.

    A failure closes it, and the groups after it.
    """

    name: str
    max_unavailable: int = 1
    after: tuple[str, ...] = ()


def action_of(update: NodeUpdate, step: UpdateStep) -> Action:
    """Return the action that takes a step."""
    if isinstance(step, Step):
        return TakeStep(step=step, node=update.node, group=update.group, reason=step.reason, owner=update.owner)
    return replace(step, owner=update.owner)


def keys_of(update: NodeUpdate) -> list[Key]:
    """Return the keys of an update's steps, and those that it claims."""
    steps = (*update.pre_steps, *update.post_steps)
    return [*(action_of(update, step).key for step in steps), *update.keys]
