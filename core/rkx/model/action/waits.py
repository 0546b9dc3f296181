"""What a run waits for."""

from __future__ import annotations

from typing import ClassVar

from rkx.model.action.base import BaseAction
from rkx.model.key import ContainerKey, HealthKey, NodeKey
from rkx.model.manifest import HealthCheck


class _Wait(BaseAction, frozen=True):
    verb: ClassVar[str] = "wait"
    is_change: ClassVar[bool] = False


class WaitForContainer(_Wait, frozen=True, kw_only=True):
    """Wait until a container's probe succeeds."""

    container: ContainerKey

    @property
    def key(self) -> HealthKey:
        """Return what it is about."""
        return HealthKey(self.container)


class WaitForNode(_Wait, frozen=True, kw_only=True):
    """Wait until a Node is Ready."""

    node: str

    @property
    def key(self) -> HealthKey:
        """Return what it is about."""
        return HealthKey(NodeKey(self.node))


class WaitForHealth(_Wait, frozen=True, kw_only=True):
    """Wait until a workload is healthy."""

    check: HealthCheck

    @property
    def key(self) -> HealthKey:
        """Return what it is about."""
        return HealthKey(self.check.key)
