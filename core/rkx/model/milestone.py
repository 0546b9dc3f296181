"""What plugins wait for: keys of resources, and moments that they know without each other's keys."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

from rkx.model.key import Key


class Milestone(NamedTuple):
    """A moment that plugins wait for without knowing each other's keys."""

    name: Literal["api-ready", "node-started", "node-ready"]
    node: str = ""


API_READY = Milestone("api-ready")


def node_started(node: str) -> Milestone:
    """Return the moment when the node's kubelet runs."""
    return Milestone("node-started", node)


def node_ready(node: str) -> Milestone:
    """Return the moment when the Node object is Ready."""
    return Milestone("node-ready", node)


After: TypeAlias = Key | Milestone
