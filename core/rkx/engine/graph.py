"""Run a graph of units on threads: each starts the moment that what it waits for is done."""

from __future__ import annotations

import queue
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from rkx.engine.order import about
from rkx.engine.patience import Patience
from rkx.engine.units import Unit
from rkx.model.key import Key

AT_ONCE = 48
PER_NODE = 16
"""So many units of one node, which says itself how many it has to remove: the others' never wait for all of them.

A first run has 14 for a node with all roles (its preparation, images, files and containers), so it waits for none.
"""
Work = Callable[[Unit], Sequence[Unit]]
"""Does a unit; what it returns joins the graph."""


class Graph:
    """The units of one run. ``failures`` and ``left`` tell afterwards what was not done."""

    def __init__(self, units: Iterable[Unit], work: Work, patience: Patience) -> None:
        self._waiting = list(units)
        self._work, self._patience = work, patience
        self._done: set[Key] = set()
        self._running = Counter[str]()
        self._ended: queue.Queue[tuple[Unit, Sequence[Unit], BaseException | None]] = queue.Queue()
        self.failures: dict[Unit, BaseException] = {}

    def run(self) -> None:
        """Run until nothing can start any more; a failed unit holds back only what waits for it."""
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="unit") as pool:
            self._start_ready(pool)
            while self._running.total():
                unit, more, error = self._ended.get()
                self._running[unit.node] -= 1
                if error is not None:
                    self.failures[unit] = error
                    self._patience.failed(about(unit.actions[0]))
                else:
                    self._done |= unit.keys
                    self._waiting += more
                self._start_ready(pool)

    def _start_ready(self, pool: ThreadPoolExecutor) -> None:
        if self._patience.cancelled.is_set():
            return
        for unit in [unit for unit in self._waiting if unit.after <= self._done]:
            if unit.node and self._running[unit.node] >= PER_NODE:
                continue
            self._waiting.remove(unit)
            self._running[unit.node] += 1
            pool.submit(self._do, unit)

    def _do(self, unit: Unit) -> None:
        try:
            more = self._work(unit)
        except BaseException as error:  # noqa: BLE001 - the top of a thread: carried to the run's end, by name
            self._ended.put((unit, (), error))
        else:
            self._ended.put((unit, more, None))

    @property
    def left(self) -> list[Unit]:
        """List the units that were never started."""
        return list(self._waiting)
