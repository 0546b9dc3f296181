"""What ``dns`` in cluster.yml may hold, as RKE spells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateStrategy:
    """How the Deployment is rolled out.

    The default starts the new pod first: a small cluster has one, and RKE's ``maxUnavailable: 1`` would leave it
    without names for a while.
    """

    strategy: Literal["RollingUpdate", "Recreate"] = "RollingUpdate"
    rollingUpdate: Mapping[str, int | str] = field(
        default_factory=lambda: MappingProxyType({"maxUnavailable": 0, "maxSurge": 1})
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreDnsOptions:
    """What RKE has one level deeper."""

    coredns_priority_class_name: str = "system-cluster-critical"


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreDnsConfig:
    """Options of CoreDNS.

    Without ``upstreamnameservers`` other names go to the servers of the node's resolv.conf. ``stubdomains`` maps a
    domain to the servers that know it. ``tolerations`` take the place of those for control plane and etcd nodes.
    """

    upstreamnameservers: tuple[str, ...] = ()
    reversecidrs: tuple[str, ...] = ("in-addr.arpa", "ip6.arpa")
    stubdomains: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    node_selector: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    tolerations: tuple[Mapping[str, Any], ...] = ()
    update_strategy: UpdateStrategy = field(default_factory=UpdateStrategy)
    options: CoreDnsOptions = field(default_factory=CoreDnsOptions)
