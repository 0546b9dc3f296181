"""Show a run as lines, for pipes and logs: one for each action that ended."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from rkx.events import ActionFailed, ActionFinished, ActionStarted, Event, PlanReady, ProblemFound, RunStarted, Waiting
from rkx.model.risk import Risk

Say = Callable[[str], None]


class Plain:
    """Turn events into lines; ``verbose`` adds what begins and what waits."""

    def __init__(self, say: Say, *, verbose: bool = False) -> None:
        self._say, self._verbose = say, verbose
        self._started: datetime | None = None
        self._reasons: dict[tuple[str, str], str] = {}

    def show(self, event: Event) -> None:
        """Print the line of an event, if it has one."""
        if self._started is None:
            self._started = event.at
        if text := self._text(event):
            self._say(f"{(event.at - self._started).total_seconds():.1f}s {text}")

    def _text(self, event: Event) -> str:
        match event:
            case RunStarted():
                return f"{event.command} {event.cluster}"
            case ProblemFound():
                return problem(event)
            case PlanReady():
                what = counted(event.actions, "action") if event.actions else "nothing to do"
                return "".join([f"plan: {what}", *(f"; {risk(each)}" for each in event.risks)])
            case ActionStarted():
                self._reasons[event.verb, event.key] = event.reason
                return f"{action(event)} begins{because(event.reason)}" if self._verbose else ""
            case ActionFinished():
                return action(event) + because(self._reasons.get((event.verb, event.key), ""))
            case ActionFailed():
                return f"{action(event)} failed: {event.message}"
            case Waiting() if self._verbose:
                return f"{event.key} waits: {event.why}"
        return ""

    def pause(self) -> None:
        """Make room for a question; lines need nothing."""

    def resume(self) -> None:
        """Go on after a question."""

    def close(self) -> None:
        """End."""


def counted(number: int, what: str) -> str:
    """Return a number of things in words."""
    return f"{number} {what}{'s' * (number != 1)}"


def action(event: ActionStarted | ActionFinished | ActionFailed) -> str:
    """Name an action: node, verb, then its resource without the node that comes before it."""
    if not event.node:
        return f"{event.verb} {event.key}"
    return f"{event.node} {event.verb} {event.key.removeprefix(f'{event.node} ')}"


def risk(accepted: Risk) -> str:
    """Name a risk that is accepted, and where."""
    return f"accepted risk {accepted.name} ({accepted.where})"


def because(reason: str) -> str:
    """Return a reason in brackets, if there is one."""
    return f" ({reason})" if reason else ""


def problem(event: ProblemFound) -> str:
    """Return a problem as one line."""
    places = [place for place in ("warning" if event.warning else "problem", event.node, event.where) if place]
    return f"{': '.join(places)}: {event.message}{because(event.hint)}"
