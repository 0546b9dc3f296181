"""Authentication, DNS, metrics, ingress, and providers by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import msgspec

from rkx.config.schema.marks import Flag, Key, Number, Raw, RawMap, Text, TextMap, Texts
from rkx.config.schema.network import TolerationKeys

OLD = "it was read by no RKE since v0.3"


class ChoiceKeys(msgspec.Struct, kw_only=True, eq=False):
    """An item of ``addon_plugins`` or ``extensions``."""

    name: Annotated[Text, Key(required=True)] = None
    options: RawMap = None


class IncludeKeys(msgspec.Struct, kw_only=True, eq=False):
    """An item of ``addons_include`` with the digest of its content."""

    source: Annotated[Text, Key(required=True)] = None
    sha256: Text = None


class WebhookKeys(msgspec.Struct, kw_only=True, eq=False):
    """``authentication.webhook``."""

    config_file: Text = None
    cache_timeout: Text = None


class AuthenticationKeys(msgspec.Struct, kw_only=True, eq=False):
    """``authentication``; ``options`` maps a provider's name to its options."""

    strategy: Text = None
    sans: Texts = None
    webhook: WebhookKeys | None = None
    options: Mapping[str, RawMap] | None = None


class AuthorizationKeys(msgspec.Struct, kw_only=True, eq=False):
    """``authorization``."""

    mode: Text = None
    options: Annotated[TextMap, Key(dead="RKE never read it")] = None


class AutoscalerKeys(msgspec.Struct, kw_only=True, eq=False):
    """``dns.linear_autoscaler_params``."""

    cores_per_replica: float | None = None
    nodes_per_replica: float | None = None
    min: Number = None
    max: Number = None
    prevent_single_point_failure: Flag = None


class NodelocalKeys(msgspec.Struct, kw_only=True, eq=False):
    """``dns.nodelocal``."""

    ip_address: Annotated[Text, Key(also=("ipaddress",))] = None
    node_selector: TextMap = None
    update_strategy: RawMap = None
    node_local_dns_priority_class_name: Text = None


class DnsKeys(msgspec.Struct, kw_only=True, eq=False):
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
    template: Annotated[Raw, Key(dead=OLD)] = None


class MonitoringKeys(msgspec.Struct, kw_only=True, eq=False):
    """``monitoring``."""

    provider: Text = None
    options: TextMap = None
    node_selector: TextMap = None
    tolerations: tuple[TolerationKeys, ...] | None = None
    replicas: Annotated[Number, Key(zero=True)] = None
    metrics_server_priority_class_name: Text = None
    update_strategy: RawMap = None
    template: Annotated[Raw, Key(dead=OLD)] = None


class IngressKeys(msgspec.Struct, kw_only=True, eq=False):
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
    template: Annotated[Raw, Key(dead=OLD)] = None
