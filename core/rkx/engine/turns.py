"""Turns: steps before and after one node's changes, in lanes that let so many nodes in at a time."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import requests

from rkx.engine.access import https, tls_context
from rkx.engine.ledger import Ledger
from rkx.engine.link import Link
from rkx.engine.patience import Patience
from rkx.engine.units import Unit
from rkx.errors import NotReady, Refused, StreamRefused, TransportError
from rkx.lines import cut
from rkx.model.key import Key
from rkx.model.plan import Plan
from rkx.model.step import Answer, Answers, Call, Do, Done, Refuse, Step, Turn, Wait
from rkx.registry import Plugins

POLL_S = 0.1
STEP_TIMEOUT_S = 300.0


def ask(call: Call, links: Mapping[str, Link], ledger: Ledger) -> Answer:
    """Make one request from a node; status 0 when nobody answered."""
    link = links.get(call.node)
    if link is None or call.identity not in ledger.state.credentials:
        return Answer(status=0)
    client = https(link, call.port, tls_context(ledger, call.authority, call.identity), timeout_s=10)
    try:
        answer = client.request(call.method, f"http://node{call.path}", data=call.body or None)
    except (requests.RequestException, OSError, StreamRefused, TransportError):
        return Answer(status=0)
    finally:
        client.close()
    return Answer(status=answer.status_code, body=answer.content.decode(errors="replace"))


def ask_all(calls: Sequence[Call], links: Mapping[str, Link], ledger: Ledger) -> Answers:
    """Make requests one after the other."""
    return {call: ask(call, links, ledger) for call in calls}


class Turns:
    """The turns of one run: what their steps do, and in which order the units that they claim may go.

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
        self._claimed = {key: turn for turn in plan.turns for key in turn.keys if key in planned}
        self._left = {turn: set(turn.keys) & planned for turn in plan.turns}
        self._doors = {turn: threading.Lock() for turn in plan.turns}
        self._entered: set[Turn] = set()

    def arranged(self, units: Sequence[Unit]) -> list[Unit]:
        """Let a claimed unit wait for the turn that is ``width`` places before its own in its lane."""
        present = {key for unit in units for key in unit.keys}
        return [self._behind(unit, present) for unit in units]

    def _behind(self, unit: Unit, present: set[Key]) -> Unit:
        turn = next((self._claimed[key] for key in unit.keys if key in self._claimed), None)
        if turn is None or turn not in self._ahead:
            return unit
        waits = tuple(key for key in self._ahead[turn].keys if key in present)
        return Unit(actions=tuple(replace(action, after=(*action.after, *waits)) for action in unit.actions))

    def enter(self, unit: Unit) -> bool:
        """Take the steps before a turn's first unit; its other units wait for them. Tells if the unit is in a turn."""
        turns = self._turns_of(unit)
        for turn in turns:
            with self._doors[turn]:
                if turn not in self._entered:
                    for step in turn.enter:
                        self._take(step)
                    self._entered.add(turn)
        return bool(turns)

    def leave(self, unit: Unit) -> None:
        """Take the steps after a turn's last unit."""
        for turn in self._turns_of(unit):
            with self._doors[turn]:
                self._left[turn] -= unit.keys
                if not self._left[turn]:
                    for step in turn.leave:
                        self._take(step)

    def _turns_of(self, unit: Unit) -> list[Turn]:
        return list(dict.fromkeys(self._claimed[key] for key in sorted(unit.keys) if key in self._claimed))

    def _take(self, step: Step) -> None:
        """Ask, let the plugin decide, act; until it says Done."""
        since, why = time.monotonic(), ""
        while self._patience.left(since, STEP_TIMEOUT_S) and not self._patience.cancelled.is_set():
            match self._plugins.step(step, ask_all(step.asks, self._links, self._ledger)):
                case Done():
                    return
                case Do(calls=calls):
                    self._check()
                    ask_all(calls, self._links, self._ledger)
                case Wait(why=why):
                    self._patience.cancelled.wait(POLL_S)
                case Refuse(why=why, hint=hint):
                    raise Refused(f"{step.verb} {step.subject}: {cut(why)}", hint=cut(hint))
        raise NotReady(f"{step.verb} {step.subject} ({step.reason}) did not end: {cut(why)}")


def _ahead(plan: Plan) -> Mapping[Turn, Turn]:
    """Find for each turn the one that is its lane's width before it; the first ones have none."""
    widths, lanes = {lane.name: lane.width for lane in plan.lanes}, defaultdict[str, list[Turn]](list)
    for turn in plan.turns:
        lanes[turn.lane].append(turn)
    return {
        turn: first
        for name, lane in lanes.items()
        for first, turn in zip(lane, lane[widths.get(name, 1) :], strict=False)
    }
