"""Steps of plugins: what cannot be a resource, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from rkx.model.cluster import EMPTY


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeRequest:
    """One HTTP request made from ``node`` to its own ``port``, as the named identity."""

    node: str
    port: int
    path: str
    identity: str
    authority: str
    method: Literal["GET", "POST", "DELETE", "PUT", "PATCH"] = "POST"
    body: str = "{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeResponse:
    """What a request brought; status 0: there was no answer, which is never "absent"."""

    status: int
    body: str = ""


Responses: TypeAlias = Mapping[NodeRequest, NodeResponse]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing to bring about; its plugin decides from fresh answers to ``queries``."""

    verb: str
    subject: str
    reason: str
    queries: tuple[NodeRequest, ...] = ()
    owner: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The step is brought about.

    ``bootstrap_args`` of a step before changes take the place of those that are described, by the name of the
    container: of one that the step's update claims on its node, and that has some.
    """

    bootstrap_args: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: EMPTY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Do:
    """Send these requests, then decide again."""

    requests: tuple[NodeRequest, ...]


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
