"""How far a run is, from its events: per node what runs now, and what waits for whom."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from rkx.events import ActionFailed, ActionFinished, ActionStarted, Event, PlanReady, RunStarted, Waiting
from rkx.model.action import Action

CLUSTER = "the cluster"
MOST_OF_A_KIND = 2


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One node: what runs there now, and what the first waiting action waits for."""

    node: str
    now: str = ""
    waits: str = ""


class Progress:
    """Takes the events of one run, in their order."""

    def __init__(self) -> None:
        self.title = ""
        self.done = self.failed = 0
        self._before = 0
        self._planned: Sequence[Action] = ()
        self._running: dict[str, ActionStarted] = {}
        self._ended: set[str] = set()
        self._waiting: dict[str, str] = {}

    @property
    def total(self) -> int:
        """Return how many actions are known; objects are counted once the API server answered."""
        known = self._before + len(self._planned)
        return max(known, self.done + self.failed + len(self._running))

    def take(self, event: Event) -> None:
        """Note an event."""
        match event:
            case RunStarted():
                self.title = f"{event.command} {event.cluster}"
            case PlanReady(plan=plan) if plan is not None:
                self._planned, self._ended = plan.actions, set()
                self._before = self.done + self.failed  # nodes are prepared before the plan is made
            case ActionStarted():
                self._running[event.key] = event
            case Waiting():
                self._waiting[event.key] = event.why
            case ActionFinished():
                self._end(event.key)
                self.done += 1
            case ActionFailed():
                self._end(event.key)
                self.failed += 1

    def _end(self, key: str) -> None:
        self._running.pop(key, None)
        self._waiting.pop(key, None)
        self._ended.add(key)

    def rows(self) -> list[Row]:
        """List the nodes that have something to do or to wait for."""
        nodes = dict.fromkeys([*(a.key.node for a in self._planned), *(e.node for e in self._running.values())])
        rows = (Row(node=node or CLUSTER, now=self._now(node), waits=self._waits(node)) for node in sorted(nodes))
        return [row for row in rows if row.now or row.waits]

    def _now(self, node: str) -> str:
        running = [event for event in self._running.values() if event.node == node]
        return ", ".join(_words(running, self._waiting))

    def _waits(self, node: str) -> str:
        pending = {str(action.key): action for action in self._planned if self._is_pending(str(action.key))}
        for key, action in pending.items():
            if action.key.node == node and (cause := self._cause(key, pending)):
                return f"{action.key.shown_kind.lower()} {action.key.shown_name} for {cause}"
        return ""

    def _is_pending(self, key: str) -> bool:
        return key not in self._ended and key not in self._running

    def _cause(self, key: str, pending: Mapping[str, Action]) -> str:
        """Follow what an action waits for to one that runs; empty if it is about to start."""
        seen: set[str] = set()
        while key in pending and key not in seen:
            seen.add(key)
            open_keys = [str(after) for after in pending[key].after if str(after) not in self._ended]
            running = [after for after in open_keys if after in self._running]
            if running:
                return running[0]
            key = next((after for after in open_keys if after in pending), "")
        return ""


def _words(running: Sequence[ActionStarted], waiting: Mapping[str, str]) -> Iterator[str]:
    kinds = Counter((event.verb, _kind(event)) for event in running)
    for (verb, kind), count in kinds.items():
        if count > MOST_OF_A_KIND:
            yield f"{verb} {count} {kind}s"
    for event in running:
        if kinds[event.verb, _kind(event)] <= MOST_OF_A_KIND:
            why = waiting.get(event.key)
            yield f"{event.verb} {_short(event)}" + (f" ({why})" if why else "")


def _short(event: ActionStarted) -> str:
    return event.key.removeprefix(f"{event.node} ") if event.node else event.key


def _kind(event: ActionStarted) -> str:
    return _short(event).partition(" ")[0]
