"""Updates of nodes: steps before and after one node's changes, in groups that let so many nodes in at a time."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from rkx.engine.ledger import Ledger
from rkx.engine.link import Link
from rkx.engine.node_requests import send_all
from rkx.engine.patience import Patience
from rkx.engine.units import Unit
from rkx.errors import NotReady, Refused
from rkx.lines import cut
from rkx.model.key import Key
from rkx.model.plan import Plan
from rkx.model.step import Do, Done, NodeUpdate, Refuse, Step, Wait
from rkx.registry import Plugins

POLL_S = 0.1
STEP_TIMEOUT_S = 300.0


class Updates:
    """The updates of one run: what their steps do, and in which order the units that they claim may go.

    ``check`` is called before each thing that a step does, and raises where the run must stop.
    """

    def __init__(
        self,
        plugins: Plugins,
        plan: Plan,
        links: Mapping[str, Link],
        ledger: Ledger,
        patience: Patience,
        check: Callable[[], None],
    ) -> None:
        self._plugins, self._links, self._ledger, self._patience = plugins, links, ledger, patience
        self._check = check
        self._ahead = _ahead(plan)
        planned = {action.key for action in plan.actions}
        self._claimed = {key: update for update in plan.updates for key in update.keys if key in planned}
        self._left = {update: set(update.keys) & planned for update in plan.updates}
        self._doors = {update: threading.Lock() for update in plan.updates}
        self._entered: set[NodeUpdate] = set()

    def arranged(self, units: Sequence[Unit]) -> list[Unit]:
        """Let a claimed unit wait for the update that is ``max_unavailable`` places before its own in its group."""
        present = {key for unit in units for key in unit.keys}
        return [self._behind(unit, present) for unit in units]

    def _behind(self, unit: Unit, present: set[Key]) -> Unit:
        update = next((self._claimed[key] for key in unit.keys if key in self._claimed), None)
        if update is None or update not in self._ahead:
            return unit
        waits = tuple(key for key in self._ahead[update].keys if key in present)
        return Unit(actions=tuple(replace(action, after=(*action.after, *waits)) for action in unit.actions))

    def enter(self, unit: Unit) -> bool:
        """Take the steps before an update's first unit; its others wait for them. Tells if the unit is in an update."""
        updates = self._updates_of(unit)
        for update in updates:
            with self._doors[update]:
                if update not in self._entered:
                    for step in update.pre_steps:
                        self._take(step)
                    self._entered.add(update)
        return bool(updates)

    def leave(self, unit: Unit) -> None:
        """Take the steps after an update's last unit."""
        for update in self._updates_of(unit):
            with self._doors[update]:
                self._left[update] -= unit.keys
                if not self._left[update]:
                    for step in update.post_steps:
                        self._take(step)

    def _updates_of(self, unit: Unit) -> list[NodeUpdate]:
        return list(dict.fromkeys(self._claimed[key] for key in sorted(unit.keys) if key in self._claimed))

    def _take(self, step: Step) -> None:
        """Ask, let the plugin decide, act; until it says Done."""
        since, why = time.monotonic(), ""
        while self._patience.left(since, STEP_TIMEOUT_S) and not self._patience.cancelled.is_set():
            match self._plugins.step(step, send_all(step.queries, self._links, self._ledger)):
                case Done():
                    return
                case Do(requests=requests):
                    self._check()
                    send_all(requests, self._links, self._ledger)
                case Wait(why=why):
                    self._patience.cancelled.wait(POLL_S)
                case Refuse(why=why, hint=hint):
                    raise Refused(f"{step.verb} {step.subject}: {cut(why)}", hint=cut(hint))
        raise NotReady(f"{step.verb} {step.subject} ({step.reason}) did not end: {cut(why)}")


def _ahead(plan: Plan) -> Mapping[NodeUpdate, NodeUpdate]:
    """Find for each update the one that is its group's ``max_unavailable`` before it; the first ones have none."""
    widths, groups = (
        {group.name: group.max_unavailable for group in plan.groups},
        defaultdict[str, list[NodeUpdate]](list),
    )
    for update in plan.updates:
        groups[update.group].append(update)
    return {
        update: first
        for name, group in groups.items()
        for first, update in zip(group, group[widths.get(name, 1) :], strict=False)
    }
