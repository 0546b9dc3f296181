"""What is done together: the graph starts units, each of one action or of all files of a node."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from rkx.model.action import Action, PathAction
from rkx.model.key import Key


class Unit(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Actions done together: all files of a node go in one batch."""

    actions: tuple[Action, ...]

    @property
    def node(self) -> str:
        """Name the node whose it is; empty for what belongs to none, as objects."""
        return self.actions[0].key.node

    @property
    def keys(self) -> frozenset[Key]:
        """Return the keys that are done when the unit is."""
        return frozenset(action.key for action in self.actions)

    @property
    def after(self) -> frozenset[Key]:
        """Return the keys to wait for."""
        return frozenset(key for action in self.actions for key in action.after) - self.keys


def units(actions: Sequence[Action]) -> list[Unit]:
    """Group the files and folders of each node; every other action is a unit of its own."""
    groups: dict[object, list[Action]] = {}
    for action in actions:
        groups.setdefault(action.key.node if isinstance(action, PathAction) else action.key, []).append(action)
    return [Unit(actions=tuple(group)) for group in groups.values()]
