"""What waits for what: each unit is looked at once for each key that it waits for, however many wait."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import count

from rkx.model.key import Key
from rkx.reconcile.units import Unit


class Waiting:
    """Units that wait for keys, numbered as they came; a ready one is given out once."""

    def __init__(self) -> None:
        self._numbers = count()
        self._units: dict[int, Unit] = {}
        self._lacking: dict[int, set[Key]] = {}
        self._heeding: defaultdict[Key, list[int]] = defaultdict(list)
        self._done: set[Key] = set()

    def add(self, units: Iterable[Unit]) -> list[Unit]:
        """Let units wait; give those that wait for nothing."""
        return [unit for unit in units if self._is_ready(unit)]

    def _is_ready(self, unit: Unit) -> bool:
        lacking = set(unit.after - self._done)
        if lacking:
            number = next(self._numbers)
            self._units[number], self._lacking[number] = unit, lacking
            for key in lacking:
                self._heeding[key].append(number)
        return not lacking

    def done(self, keys: Iterable[Key]) -> list[Unit]:
        """Note keys as done; give the units that waited for nothing else, as they came."""
        ready: list[int] = []
        for key in {*keys} - self._done:
            self._done.add(key)
            ready += [number for number in self._heeding.pop(key, ()) if self._needs_no_more(number, key)]
        return [self._units.pop(number) for number in sorted(ready)]

    def _needs_no_more(self, number: int, key: Key) -> bool:
        self._lacking[number].discard(key)
        return not self._lacking[number]

    def behind(self, keys: Iterable[Key]) -> set[Key]:
        """Return keys with all of those that wait for them, directly or by others."""
        found, todo = {*keys}, [*keys]
        while todo:
            waiting = [self._units[number] for number in self._heeding.get(todo.pop(), ())]
            more = {key for unit in waiting for key in unit.keys} - found
            found |= more
            todo += more
        return found

    @property
    def left(self) -> list[Unit]:
        """List the units that wait, as they came."""
        return list(self._units.values())
