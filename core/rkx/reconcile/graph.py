"""Run a graph of units on threads: each starts the moment that what it waits for is done."""

from __future__ import annotations

import queue
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from rkx.reconcile.order import about
from rkx.reconcile.rollout import RolloutQueue
from rkx.reconcile.units import Unit
from rkx.reconcile.wait_budget import WaitBudget
from rkx.reconcile.waiting import Waiting

AT_ONCE = 48
PER_NODE = 16
"""So many units of one node, which says itself how many it has to remove: the others' never wait for all of them.

A first run has 14 for a node with all roles (its preparation, images, files and containers), so it waits for none.
"""
NO_ROLLOUT = RolloutQueue((), (), frozenset())
Work = Callable[[Unit], Sequence[Unit]]
"""Does a unit; what it returns joins the graph."""


class Graph:
    """The units of one run. ``failures`` and ``left`` tell afterwards what was not done."""

    def __init__(
        self, units: Iterable[Unit], work: Work, budget: WaitBudget, rollout: RolloutQueue = NO_ROLLOUT
    ) -> None:
        self._waiting, self._work, self._budget, self._rollout = Waiting(), work, budget, rollout
        self._lines: defaultdict[str, deque[Unit]] = defaultdict(deque)
        self._running = Counter[str]()
        self._started = 0
        self._ended: queue.Queue[tuple[Unit, Sequence[Unit], BaseException | None]] = queue.Queue()
        self.failures: dict[Unit, BaseException] = {}
        self._line_up([*self._waiting.add(rollout.gated(units)), *self._waiting.done(rollout.admit())])

    def run(self) -> None:
        """Run until nothing can start any more; a failed unit holds back only what waits for it."""
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="unit") as pool:
            self._start(pool, [*self._lines])
            while self._started:
                unit, more, error = self._ended.get()
                self._started -= 1
                self._running[unit.node] -= 1
                self._start(pool, self._line_up(self._opened(unit, more, error)) | {unit.node})

    def _opened(self, unit: Unit, more: Sequence[Unit], error: BaseException | None) -> list[Unit]:
        """Return what the end of a unit lets start."""
        if error is not None:
            self.failures[unit] = error
            self._budget.failed(about(unit.actions[0]))
            self._rollout.failed(self._waiting.behind(unit.keys))
            return []
        self._rollout.done(unit.keys)
        return [*self._waiting.done({*unit.keys, *self._rollout.admit()}), *self._waiting.add(more)]

    def _line_up(self, ready: Sequence[Unit]) -> set[str]:
        """Put ready units behind those of their nodes that are ready as well; give the nodes' names."""
        for unit in ready:
            self._lines[unit.node].append(unit)
        return {unit.node for unit in ready}

    def _start(self, pool: ThreadPoolExecutor, nodes: Iterable[str]) -> None:
        for node in () if self._budget.cancelled.is_set() else nodes:
            line = self._lines[node]
            while line and not (node and self._running[node] >= PER_NODE):
                self._running[node] += 1
                self._started += 1
                pool.submit(self._do, line.popleft())

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
        return [*(unit for line in self._lines.values() for unit in line), *self._waiting.left]
