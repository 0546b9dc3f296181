"""What ``dns`` in cluster.yml may hold, as RKE spells it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

import msgspec


class UpdateStrategy(msgspec.Struct, frozen=True, kw_only=True):
    """How the Deployment is rolled out.

    The default starts the new pod first: a small cluster has one, and RKE's ``maxUnavailable: 1`` would leave it
    without names for a while.
    """

    strategy: Literal["RollingUpdate", "Recreate"] = "RollingUpdate"
    rollingUpdate: Mapping[str, int | str] = MappingProxyType({"maxUnavailable": 0, "maxSurge": 1})


class CoreDnsOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What RKE has one level deeper."""

    coredns_priority_class_name: str = "system-cluster-critical"


class CoreDnsConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Options of CoreDNS.

    Without ``upstreamnameservers`` other names go to the servers of the node's resolv.conf. ``stubdomains`` maps a
    domain to the servers that know it. ``tolerations`` take the place of those for control plane and etcd nodes.
    """

    upstreamnameservers: tuple[str, ...] = ()
    reversecidrs: tuple[str, ...] = ("in-addr.arpa", "ip6.arpa")
    stubdomains: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    node_selector: Mapping[str, str] = MappingProxyType({})
    tolerations: tuple[Mapping[str, Any], ...] = ()
    update_strategy: UpdateStrategy = UpdateStrategy()
    options: CoreDnsOptions = CoreDnsOptions()
