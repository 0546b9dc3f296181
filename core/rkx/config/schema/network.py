"""The network, and the keys of the networks that RKE knew."""

from __future__ import annotations

from typing import Annotated

import msgspec

from rkx.config.schema.aci import ACI
from rkx.config.schema.marks import Key, Number, RawMap, Text, TextMap
from rkx.secret import Secret

BACKEND = ("iface", "flannel_backend_type", "flannel_backend_port", "flannel_backend_vni")

ODD_ACI = (
    "aci_system_identifier",
    "aci_service_graph_subnet",
    "aci_dynamic_external_subnet",
    "aci_static_external_subnet",
    "aci_kubeapi_vlan",
    "aci_opflex_agent_log_level",
    "aci_server_monitor_interval",
)

OPTIONS: dict[str, tuple[str, ...]] = {
    "flannel": (
        "flannel_iface",
        "flannel_backend_type",
        "flannel_backend_port",
        "flannel_backend_vni",
        "kube_flannel_priority_class_name",
    ),
    "canal": (
        *(f"canal_{name}" for name in BACKEND),
        "canal_priority_class_name",
        "canal_flex_volume_plugin_dir",
    ),
    "calico": (
        "calico_flex_volume_plugin_dir",
        "calico_cloud_provider",
        "calico_node_priority_class_name",
        "calico_kube_controllers_priority_class_name",
    ),
    "weave": ("weave_password", "weave_net_priority_class_name"),
    "aci": (*(f"aci_{name}" for name in ACI), *ODD_ACI),
}
"""Provider to the options that RKE knew for it; a provider's own name as prefix is cut for it."""


class TolerationKeys(msgspec.Struct, kw_only=True, eq=False):
    """A toleration, with RKE's spelling of its seconds and Kubernetes' own."""

    key: Text = None
    operator: Text = None
    value: Text = None
    effect: Text = None
    toleration_seconds: Annotated[Number, Key(name="tolerationSeconds", also=("tolerationseconds",), zero=True)] = None


class IfaceKeys(msgspec.Struct, kw_only=True, eq=False):
    """``flannel_network_provider`` and ``canal_network_provider``."""

    iface: Text = None


class CalicoKeys(msgspec.Struct, kw_only=True, eq=False):
    """``calico_network_provider``."""

    cloud_provider: Annotated[Text, Key(also=("cloudprovider",))] = None


class WeaveKeys(msgspec.Struct, kw_only=True, eq=False):
    """``weave_network_provider``."""

    password: Secret[str] | None = None


class NetworkKeys(msgspec.Struct, kw_only=True, eq=False):
    """``network``; what ``options`` may hold is the provider's business."""

    plugin: Text = None
    options: RawMap = None
    mtu: Number = None
    node_selector: TextMap = None
    update_strategy: RawMap = None
    tolerations: tuple[TolerationKeys, ...] | None = None
    flannel_network_provider: IfaceKeys | None = None
    canal_network_provider: IfaceKeys | None = None
    calico_network_provider: CalicoKeys | None = None
    weave_network_provider: WeaveKeys | None = None
    aci_network_provider: Annotated[RawMap, Key(table=ACI)] = None
