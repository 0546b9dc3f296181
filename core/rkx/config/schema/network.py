"""The network, and the keys of the networks that RKE knew."""

from __future__ import annotations

from dataclasses import dataclass

from rkx.config.schema.aci import ACI
from rkx.config.schema.marks import Number, RawMap, Text, TextMap, mark
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


@dataclass(kw_only=True, eq=False, repr=False)
class TolerationKeys:
    """A toleration, with RKE's spelling of its seconds and Kubernetes' own."""

    key: Text = None
    operator: Text = None
    value: Text = None
    effect: Text = None
    toleration_seconds: Number = mark("tolerationSeconds", also=("tolerationseconds",), zero=True)


@dataclass(kw_only=True, eq=False, repr=False)
class IfaceKeys:
    """``flannel_network_provider`` and ``canal_network_provider``."""

    iface: Text = None


@dataclass(kw_only=True, eq=False, repr=False)
class CalicoKeys:
    """``calico_network_provider``."""

    cloud_provider: Text = mark(also=("cloudprovider",))


@dataclass(kw_only=True, eq=False, repr=False)
class WeaveKeys:
    """``weave_network_provider``."""

    password: Secret[str] | None = None


@dataclass(kw_only=True, eq=False, repr=False)
class NetworkKeys:
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
    aci_network_provider: RawMap = mark(table=ACI)
