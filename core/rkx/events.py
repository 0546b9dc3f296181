"""One stream of frozen events; screen, plain lines, JSON lines and embedders all read it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, ClassVar

from rkx.model.plan import Plan
from rkx.model.risk import Risk


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened in ``run``; ``seq`` counts from 1, ``node`` is empty for the cluster's own."""

    kind: ClassVar[str] = "event"
    run: str = ""
    seq: int = 0
    at: datetime = field(default_factory=_now)
    node: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the event as JSON-ready values; ``v`` is the version of this form."""
        values = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "plan"}
        values["at"] = self.at.isoformat(timespec="milliseconds")
        return {"v": 1, "kind": self.kind, **values}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted(Event):
    """A command began to look at the nodes."""

    kind: ClassVar[str] = "run-started"
    command: str = ""
    cluster: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemFound(Event):
    """A warning or mistake, in cluster.yml or on a node."""

    kind: ClassVar[str] = "problem-found"
    where: str = ""
    message: str = ""
    hint: str = ""
    warning: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanReady(Event):
    """A plan was made; ``actions`` counts them. Of the plan itself the JSON form has the accepted risks alone."""

    kind: ClassVar[str] = "plan-ready"
    actions: int = 0
    plan: Plan | None = None

    @property
    def risks(self) -> tuple[Risk, ...]:
        """Return the risks that cluster.yml accepts."""
        return self.plan.risks if self.plan else ()

    def as_dict(self) -> dict[str, Any]:
        """Return the event as JSON-ready values, with name and place of each accepted risk."""
        return {**Event.as_dict(self), "risks": [asdict(risk) for risk in self.risks]}


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionStarted(Event):
    """An action began; ``key`` is its resource in words."""

    kind: ClassVar[str] = "action-started"
    verb: str = ""
    key: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionFinished(Event):
    """An action ended well."""

    kind: ClassVar[str] = "action-finished"
    verb: str = ""
    key: str = ""
    duration_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionFailed(Event):
    """An action failed; what needs it is not tried."""

    kind: ClassVar[str] = "action-failed"
    verb: str = ""
    key: str = ""
    message: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting(Event):
    """An action waits for something to become healthy."""

    kind: ClassVar[str] = "waiting"
    key: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished(Event):
    """The run ended; ``exit_code`` as the command line gives it."""

    kind: ClassVar[str] = "run-finished"
    exit_code: int = 0
    message: str = ""
    duration_s: float = 0.0
