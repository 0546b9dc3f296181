"""What ``monitoring`` in cluster.yml may hold, as RKE spells it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

import msgspec


class UpdateStrategy(msgspec.Struct, frozen=True, kw_only=True):
    """How the Deployment is rolled out."""

    strategy: Literal["RollingUpdate", "Recreate"] = "RollingUpdate"
    rollingUpdate: Mapping[str, int | str] = MappingProxyType({"maxUnavailable": "25%", "maxSurge": "25%"})


class MetricsServerConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Options of metrics-server.

    ``options`` are flags of the program without their dashes; an empty value makes a bare flag. ``tolerations`` take
    the place of those for control plane and etcd nodes.
    """

    replicas: int = 1
    options: Mapping[str, str] = MappingProxyType({})
    node_selector: Mapping[str, str] = MappingProxyType({})
    tolerations: tuple[Mapping[str, Any], ...] = ()
    metrics_server_priority_class_name: str = "system-cluster-critical"
    update_strategy: UpdateStrategy = UpdateStrategy()
