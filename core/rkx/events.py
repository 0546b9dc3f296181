"""One stream of frozen events; screen, plain lines, JSON lines and embedders all read it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

import msgspec
from msgspec.structs import asdict

from rkx.model.plan import Plan
from rkx.model.risk import Risk


def _now() -> datetime:
    return datetime.now(UTC)


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened in ``run``; ``seq`` counts from 1, ``node`` is empty for the cluster's own."""

    kind: ClassVar[str] = "event"
    run: str = ""
    seq: int = 0
    at: datetime = msgspec.field(default_factory=_now)
    node: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the event as JSON-ready values; ``v`` is the version of this form."""
        values = {name: getattr(self, name) for name in self.__struct_fields__ if name != "plan"}
        values["at"] = self.at.isoformat(timespec="milliseconds")
        return {"v": 1, "kind": self.kind, **values}


class RunStarted(Event, frozen=True, kw_only=True):
    """A command began to look at the nodes."""

    kind: ClassVar[str] = "run-started"
    command: str = ""
    cluster: str = ""


class ProblemFound(Event, frozen=True, kw_only=True):
    """A warning or mistake, in cluster.yml or on a node."""

    kind: ClassVar[str] = "problem-found"
    where: str = ""
    message: str = ""
    hint: str = ""
    warning: bool = True


class PlanReady(Event, frozen=True, kw_only=True):
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


class ActionStarted(Event, frozen=True, kw_only=True):
    """An action began; ``key`` is its resource in words."""

    kind: ClassVar[str] = "action-started"
    verb: str = ""
    key: str = ""
    reason: str = ""


class ActionFinished(Event, frozen=True, kw_only=True):
    """An action ended well."""

    kind: ClassVar[str] = "action-finished"
    verb: str = ""
    key: str = ""
    duration_s: float = 0.0


class ActionFailed(Event, frozen=True, kw_only=True):
    """An action failed; what needs it is not tried."""

    kind: ClassVar[str] = "action-failed"
    verb: str = ""
    key: str = ""
    message: str = ""
    hint: str = ""


class Waiting(Event, frozen=True, kw_only=True):
    """An action waits for something to become healthy."""

    kind: ClassVar[str] = "waiting"
    key: str = ""
    why: str = ""


class RunFinished(Event, frozen=True, kw_only=True):
    """The run ended; ``exit_code`` as the command line gives it."""

    kind: ClassVar[str] = "run-finished"
    exit_code: int = 0
    message: str = ""
    duration_s: float = 0.0
