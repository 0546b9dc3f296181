"""Authentication, DNS, metrics, ingress, and providers by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rkx.config.schema.marks import Flag, Number, Raw, RawMap, Text, TextMap, Texts, mark
from rkx.config.schema.network import TolerationKeys

OLD = "it was read by no RKE since v0.3"


@dataclass(kw_only=True, eq=False, repr=False)
class ChoiceKeys:
    """An item of ``addon_plugins`` or ``extensions``."""

    name: Text = mark(required=True)
    options: RawMap = None


@dataclass(kw_only=True, eq=False, repr=False)
class IncludeKeys:
    """An item of ``addons_include`` with the digest of its content."""

    source: Text = mark(required=True)
    sha256: Text = None


@dataclass(kw_only=True, eq=False, repr=False)
class WebhookKeys:
    """``authentication.webhook``."""

    config_file: Text = None
    cache_timeout: Text = None


@dataclass(kw_only=True, eq=False, repr=False)
class AuthenticationKeys:
    """``authentication``; ``options`` maps a provider's name to its options."""

    strategy: Text = None
    sans: Texts = None
    webhook: WebhookKeys | None = None
    options: Mapping[str, RawMap] | None = None


@dataclass(kw_only=True, eq=False, repr=False)
class AuthorizationKeys:
    """``authorization``."""

    mode: Text = None
    options: TextMap = mark(dead="RKE never read it")


@dataclass(kw_only=True, eq=False, repr=False)
class AutoscalerKeys:
    """``dns.linear_autoscaler_params``."""

    cores_per_replica: float | None = None
    nodes_per_replica: float | None = None
    min: Number = None
    max: Number = None
    prevent_single_point_failure: Flag = None


@dataclass(kw_only=True, eq=False, repr=False)
class NodelocalKeys:
    """``dns.nodelocal``."""

    ip_address: Text = mark(also=("ipaddress",))
    node_selector: TextMap = None
    update_strategy: RawMap = None
    node_local_dns_priority_class_name: Text = None


@dataclass(kw_only=True, eq=False, repr=False)
class DnsKeys:
    """``dns``."""

    provider: Text = None
    options: TextMap = None
    upstreamnameservers: Texts = None
    reversecidrs: Texts = None
    stubdomains: Mapping[str, tuple[str, ...]] | None = None
    node_selector: TextMap = None
    tolerations: tuple[TolerationKeys, ...] | None = None
    update_strategy: RawMap = None
    linear_autoscaler_params: AutoscalerKeys | None = None
    nodelocal: NodelocalKeys | None = None
    template: Raw = mark(dead=OLD)


@dataclass(kw_only=True, eq=False, repr=False)
class MonitoringKeys:
    """``monitoring``."""

    provider: Text = None
    options: TextMap = None
    node_selector: TextMap = None
    tolerations: tuple[TolerationKeys, ...] | None = None
    replicas: Number = mark(zero=True)
    metrics_server_priority_class_name: Text = None
    update_strategy: RawMap = None
    template: Raw = mark(dead=OLD)


@dataclass(kw_only=True, eq=False, repr=False)
class IngressKeys:
    """``ingress``."""

    provider: Text = None
    options: TextMap = None
    node_selector: TextMap = None
    extra_args: TextMap = None
    extra_envs: Raw = None
    extra_volumes: Raw = None
    extra_volume_mounts: Raw = None
    tolerations: tuple[TolerationKeys, ...] | None = None
    dns_policy: Text = None
    network_mode: Text = None
    http_port: Number = None
    https_port: Number = None
    default_backend: Flag = None
    default_ingress_class: Flag = None
    update_strategy: RawMap = None
    default_http_backend_priority_class_name: Text = None
    nginx_ingress_controller_priority_class_name: Text = None
    template: Raw = mark(dead=OLD)
