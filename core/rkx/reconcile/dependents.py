"""Wait for dependents of restarted containers: one may exit when what it needs restarts, and start again."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from rkx.model.action import (
    Action,
    CreateContainer,
    ReplaceContainer,
    RestartContainer,
    StartContainer,
    WaitForContainer,
)
from rkx.model.key import Key
from rkx.model.resource import Container
from rkx.reconcile.desired import Desired, containers
from rkx.reconcile.order import keys_reaching, milestones

Starts = CreateContainer | ReplaceContainer | RestartContainer | StartContainer


def await_dependents(desired: Desired, actions: Sequence[Action], nodes: Collection[str]) -> Iterator[WaitForContainer]:
    """Wait for containers with a probe that need, directly or by others, what these actions start on ``nodes``.

    A controller ends when it loses its lease, and the Engine lets it wait longer and longer before it starts it again.
    """
    planned = {action.key for action in actions}
    started = tuple(action.key for action in actions if isinstance(action, Starts))
    for each in _needing(desired, started):
        if each.probe and each.key not in planned and each.node in nodes:
            yield WaitForContainer(container=each.key, reason="needs what is started", owner=each.owner, after=started)


def _needing(desired: Desired, started: Collection[Key]) -> list[Container]:
    reached, every = milestones(desired), containers(desired.resources.values())
    found = set(started)
    while more := {
        each.key
        for each in every
        if each.key not in found and any(not found.isdisjoint(keys_reaching(moment, reached)) for moment in each.after)
    }:
        found |= more
    return [each for each in every if each.key in found]
