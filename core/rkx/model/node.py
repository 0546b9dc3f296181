"""One machine of cluster.yml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

Role = Literal["controlplane", "etcd", "worker"]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Taint:
    """A taint of a Kubernetes Node; ``effect`` is NoSchedule, PreferNoSchedule or NoExecute."""

    key: str
    value: str = ""
    effect: str = "NoSchedule"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One machine. ``name`` is its Kubernetes node name in lower case and its identity in the plan.

    ``address`` is what the operator's computer connects to, ``internal_address`` what other nodes use.
    ``transport_options`` are decoded by the transport that ``transport`` names.
    """

    name: str
    address: str
    internal_address: str
    roles: frozenset[Role]
    labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    taints: tuple[Taint, ...] = ()
    transport: str
    transport_options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    where: str = ""

    def has(self, role: Role) -> bool:
        """Return whether the node carries ``role``."""
        return role in self.roles
