"""Where the time of a run went: the chain of actions that its end waited for, from its events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """One piece of the way: when it began, in seconds from the process' start, and how long it took."""

    at_s: float
    took_s: float
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Action:
    name: str
    begin: tuple[int, float]  # number of the event, moment
    end: tuple[int, float]


def critical_path(events: Sequence[Event], started_at: float, took_s: float) -> list[Stretch]:
    """List the stretches that lead to the end without a gap; ``started_at`` is the process' start.

    Events do not say what an action waited for. It starts the moment that the last of those is done, so that one is
    the latest to end before it.
    """
    moments = {event["kind"]: _moment(event) - started_at for event in events}
    chain = list(reversed(list(_back(_actions(events, started_at)))))
    points = [(0.0, moments["run-started"], "Python starts, cluster.yml is read")]
    now = points[0][1]
    for action in chain:
        if action.begin[1] - now >= 0.005:
            points.append((now, action.begin[1], "looks at the nodes and plans" if now == points[0][1] else "between"))
        points.append((action.begin[1], action.end[1], action.name))
        now = action.end[1]
    points += [
        (now, moments["run-finished"], "keeps the state, closes"),
        (moments["run-finished"], took_s, "Python ends"),
    ]
    return [Stretch(at_s=start, took_s=end - start, what=what) for start, end, what in points]


def shown(stretches: Sequence[Stretch]) -> str:
    """Write one line for each stretch."""
    return "\n".join(f"  {each.at_s:7.2f} s {each.took_s:7.2f} s  {each.what}" for each in stretches)


def _back(actions: Sequence[_Action]) -> Iterator[_Action]:
    before = max(actions, key=lambda action: action.end, default=None)
    while before is not None:
        yield before
        ended = [action for action in actions if action.end[0] < before.begin[0]]
        before = max(ended, key=lambda action: action.end, default=None)


def _actions(events: Sequence[Event], started_at: float) -> list[_Action]:
    begun: dict[str, tuple[int, float]] = {}
    found = []
    for event in events:
        if event["kind"] == "action-started":
            begun[event["key"]] = (event["seq"], _moment(event) - started_at)
        elif event["kind"] == "action-finished":
            end = (event["seq"], _moment(event) - started_at)
            found.append(_Action(name=f"{event['verb']} {event['key']}", begin=begun[event["key"]], end=end))
    return found


def _moment(event: Event) -> float:
    return datetime.fromisoformat(event["at"]).timestamp()
