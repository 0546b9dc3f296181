"""Which updates may go: slots of groups, closed by failure, one group after another. Pure: it asks and does nothing."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence, Set

import msgspec
from msgspec.structs import replace

from rkx.model.key import Key, SlotKey
from rkx.model.update import NodeUpdate, RolloutGroup, keys_of
from rkx.reconcile.units import Unit
from rkx.reconcile.updates import slots


class _Group(msgspec.Struct):
    """A group with its updates that wait, and those that are in."""

    limit: int
    after: tuple[str, ...]
    waiting: deque[SlotKey] = msgspec.field(default_factory=deque)
    inside: set[SlotKey] = msgspec.field(default_factory=set)
    closed: bool = False

    @property
    def is_complete(self) -> bool:
        return not self.waiting and not self.inside


class RolloutQueue:
    """The groups of one run and their updates, as far as these have actions among ``planned``."""

    def __init__(self, groups: Sequence[RolloutGroup], updates: Sequence[NodeUpdate], planned: Set[Key]) -> None:
        self._groups = {each.name: _Group(limit=each.max_unavailable, after=each.after) for each in groups}
        self._left: dict[SlotKey, set[Key]] = {}
        self._slots: dict[Key, SlotKey] = {}
        for slot, update in slots(updates).items():
            if keys := {key for key in keys_of(update) if key in planned}:
                self._left[slot] = keys
                self._slots |= dict.fromkeys(keys, slot)
                self._groups[slot.group].waiting.append(slot)

    def gated(self, units: Iterable[Unit]) -> list[Unit]:
        """Let each unit of an update wait for its slot."""
        return [self._gated(unit) for unit in units]

    def _gated(self, unit: Unit) -> Unit:
        found = tuple({self._slots[key] for key in unit.keys if key in self._slots})
        return Unit(actions=tuple(replace(a, after=(*a.after, *found)) for a in unit.actions)) if found else unit

    def admit(self) -> list[SlotKey]:
        """Let updates in, in their order, as long as slots are free; return those that came in."""
        admitted: list[SlotKey] = []
        for group in self._groups.values():
            if not group.closed and all(self._groups[name].is_complete for name in group.after):
                while group.waiting and len(group.inside) < group.limit:
                    group.inside.add(group.waiting[0])
                    admitted.append(group.waiting.popleft())
        return admitted

    def done(self, keys: Iterable[Key]) -> None:
        """Note actions as done; the slot of an update is free when all of its own are."""
        for key in keys:
            if (slot := self._slots.get(key)) is not None:
                self._left[slot].discard(key)
                if not self._left[slot]:
                    self._groups[slot.group].inside.discard(slot)

    def failed(self, keys: Iterable[Key]) -> None:
        """Note actions that failed, or wait for what did: their groups let no update in any more."""
        for name in {self._slots[key].group for key in keys if key in self._slots}:
            self._close(name)

    def together(self, keys: Iterable[Key]) -> Set[Key]:
        """Return the keys of the updates in which some of these are."""
        found = {self._slots[key] for key in keys if key in self._slots}
        return {key for key, slot in self._slots.items() if slot in found}

    def _close(self, name: str) -> None:
        if not self._groups[name].closed:
            self._groups[name].closed = True
            for other, group in self._groups.items():
                if name in group.after:
                    self._close(other)
