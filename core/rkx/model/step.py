"""Transitions: what cannot be a resource, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from rkx.model.key import ContainerKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One HTTP request made from ``node`` to its own ``port``, as the named identity."""

    node: str
    port: int
    path: str
    identity: str
    authority: str
    method: Literal["GET", "POST", "DELETE", "PUT", "PATCH"] = "POST"
    body: str = "{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a call brought; status 0: nobody answered, which is never "absent"."""

    status: int
    body: str = ""


Answers: TypeAlias = Mapping[Call, Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing to bring about; its plugin decides from fresh answers to ``asks``."""

    verb: str
    subject: str
    reason: str
    asks: tuple[Call, ...] = ()
    owner: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Steps before and after the changes of one node, in a lane; ``keys`` are the changes it claims."""

    lane: str
    node: str
    enter: tuple[Step, ...] = ()
    keys: tuple[ContainerKey, ...] = ()
    leave: tuple[Step, ...] = ()
    owner: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """Lets ``width`` turns in at a time; a failure closes it and those after it."""

    name: str
    width: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The step is brought about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Do:
    """Send these calls, then decide again."""

    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Ask again soon."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """Going on would lose data or service."""

    why: str
    hint: str = ""


Verdict: TypeAlias = Done | Do | Wait | Refuse
