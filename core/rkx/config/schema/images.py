"""Images by name, and the registries they come from."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any

import msgspec

from rkx.config.schema.marks import Flag, Key, RawMap, Text
from rkx.secret import Secret

USED = """
kubernetes etcd nginx_proxy kubernetes_services_sidecar pod_infra_container coredns coredns_autoscaler nodelocal
flannel flannel_cni metrics_server calico_node calico_cni calico_controllers calico_ctl calico_flexvol canal_node
canal_cni canal_controllers canal_flannel canal_flexvol ingress ingress_backend ingress_webhook
aci_cni_deploy_container aci_host_container aci_opflex_container aci_mcast_container aci_ovs_container
aci_controller_container aci_gbp_server_container aci_opflex_server_container
"""

FILES = "rkx writes files with its own rkx-node"
DNS = "rkx has no kube-dns; use coredns"
DEAD_IMAGES: Mapping[str, str] = MappingProxyType(
    {
        "alpine": FILES,
        "cert_downloader": FILES,
        "windows_pod_infra_container": "rkx has no Windows nodes",
        **dict.fromkeys(("kubedns", "dnsmasq", "kubedns_sidecar", "kubedns_autoscaler"), DNS),
        **dict.fromkeys(("weave_node", "weave_cni"), "weave does not run on Kubernetes 1.30 and later"),
    }
)

IMAGES: Mapping[str, Any] = MappingProxyType(dict.fromkeys((*USED.split(), *DEAD_IMAGES), str))
"""Every name of ``system_images``."""


class EcrKeys(msgspec.Struct, kw_only=True, eq=False):
    """``private_registries[].ecr_credential_plugin``."""

    aws_access_key_id: Text = None
    aws_secret_access_key: Secret[str] | None = None
    aws_session_token: Secret[str] | None = None


class RegistryKeys(msgspec.Struct, kw_only=True, eq=False):
    """``private_registries[]``."""

    url: Text = None
    user: Text = None
    password: Secret[str] | None = None
    is_default: Flag = None
    ecr_credential_plugin: Annotated[
        EcrKeys | None,
        Key(refuse="give user and password; `aws ecr get-login-password` can be a {command: [...]} for password"),
    ] = None


class DrainKeys(msgspec.Struct, kw_only=True, eq=False):
    """``upgrade_strategy.node_drain_input``."""

    force: Flag = None
    delete_local_data: Flag = None
    ignore_daemonsets: Annotated[Flag, Key(also=("ignoreDaemonSets",))] = None
    grace_period: Annotated[int | None, Key(zero=True)] = None
    timeout: Annotated[int | None, Key(zero=True)] = None


class UpgradeKeys(msgspec.Struct, kw_only=True, eq=False):
    """``upgrade_strategy``; ``node_drain_input`` is used when a node is taken out."""

    max_unavailable_worker: Annotated[Text, Key(zero=True, later=True)] = None
    max_unavailable_controlplane: Annotated[Text, Key(zero=True, later=True)] = None
    drain: Annotated[Flag, Key(later=True)] = None
    node_drain_input: DrainKeys | None = None


class RestoreKeys(msgspec.Struct, kw_only=True, eq=False):
    """``restore``."""

    restore: Flag = None
    snapshot_name: Text = None


class RotateKeys(msgspec.Struct, kw_only=True, eq=False):
    """``rotate_certificates``."""

    ca_certificates: Annotated[Flag, Key(name="cacertificates", also=("ca_certificates",))] = None
    services: RawMap | Any = None
