"""One machine of cluster.yml."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

import msgspec

Role = Literal["controlplane", "etcd", "worker"]


class Taint(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """A taint of a Kubernetes Node; ``effect`` is NoSchedule, PreferNoSchedule or NoExecute."""

    key: str
    value: str = ""
    effect: str = "NoSchedule"


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """One machine. ``name`` is its Kubernetes node name in lower case and its identity in the plan.

    ``address`` is what the operator's computer connects to, ``internal_address`` what other nodes use.
    ``transport_options`` are decoded by the transport that ``transport`` names.
    """

    name: str
    address: str
    internal_address: str
    roles: frozenset[Role]
    labels: Mapping[str, str] = MappingProxyType({})
    taints: tuple[Taint, ...] = ()
    transport: str
    transport_options: Mapping[str, Any] = MappingProxyType({})
    where: str = ""

    def has(self, role: Role) -> bool:
        """Return whether the node carries ``role``."""
        return role in self.roles
