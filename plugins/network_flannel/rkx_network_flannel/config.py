"""What the network's options in cluster.yml may hold."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

import msgspec


class UpdateStrategy(msgspec.Struct, frozen=True, kw_only=True):
    """How the DaemonSet is rolled out, in RKE's spelling."""

    strategy: Literal["RollingUpdate", "OnDelete"] = "RollingUpdate"
    rollingUpdate: Mapping[str, int | str] = MappingProxyType({"maxUnavailable": 1})


class FlannelConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Options of flannel.

    An empty ``iface`` takes the interface of the default route. ``mtu`` is that of pods, 0 leaves it to flannel.
    ``tolerations`` change nothing, as in RKE: the DaemonSet tolerates every taint.
    """

    iface: str = ""
    backend_type: Literal["vxlan", "host-gw"] = "vxlan"
    backend_port: int = 8472
    backend_vni: int = 1
    mtu: int = 0
    kube_flannel_priority_class_name: str = "system-node-critical"
    node_selector: Mapping[str, str] = MappingProxyType({})
    tolerations: tuple[Mapping[str, Any], ...] = ()
    update_strategy: UpdateStrategy = UpdateStrategy()
