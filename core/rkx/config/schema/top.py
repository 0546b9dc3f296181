"""The top level of cluster.yml."""

from __future__ import annotations

from dataclasses import dataclass

from rkx.config.schema.addons import (
    AuthenticationKeys,
    AuthorizationKeys,
    ChoiceKeys,
    DnsKeys,
    IncludeKeys,
    IngressKeys,
    MonitoringKeys,
)
from rkx.config.schema.cloud import CloudKeys
from rkx.config.schema.images import IMAGES, RegistryKeys, RestoreKeys, RotateKeys, UpgradeKeys
from rkx.config.schema.marks import Flag, Number, RawMap, Text, Texts, mark
from rkx.config.schema.network import NetworkKeys
from rkx.config.schema.nodes import BastionKeys, NodeKeys, SshKeys
from rkx.config.schema.services import ServicesKeys
from rkx.model.cluster import ImageLayout, Profile
from rkx.secret import Secret


@dataclass(kw_only=True, eq=False, repr=False)
class StateKeys:
    """``state``: what would seal the copies of the state on the nodes."""

    key: Secret[str] | None = mark(
        refuse="take it out: the copies on control plane and etcd nodes are not sealed, root there reads every key"
    )


@dataclass(kw_only=True, eq=False, repr=False)
class ClusterKeys:
    """All of cluster.yml; an absent key is None."""

    nodes: tuple[NodeKeys, ...] | None = None
    services: ServicesKeys | None = None
    network: NetworkKeys | None = None
    authentication: AuthenticationKeys | None = None
    authorization: AuthorizationKeys | None = None
    addons: Text = None
    addons_include: tuple[str | IncludeKeys, ...] | None = None
    addon_plugins: tuple[ChoiceKeys, ...] | None = None
    extensions: tuple[ChoiceKeys, ...] | None = None
    ingress: IngressKeys | None = None
    monitoring: MonitoringKeys | None = None
    dns: DnsKeys | None = None
    cloud_provider: CloudKeys | None = mark(later=True)
    system_images: RawMap = mark(table=IMAGES)
    image_layout: ImageLayout | None = None
    private_registries: tuple[RegistryKeys, ...] | None = None
    bastion_host: BastionKeys | None = None
    upgrade_strategy: UpgradeKeys | None = None
    ssh: SshKeys | None = None
    ssh_key_path: Text = None
    ssh_cert_path: Text = None
    ssh_agent_auth: Flag = None
    transport: Text = None
    transport_options: RawMap = None
    ignore_docker_version: Flag = None
    enable_cri_dockerd: Flag = None
    cri_dockerd_stream_server_address: Text = None
    cri_dockerd_stream_server_port: Text = None
    kubernetes_version: Text = None
    cluster_name: Text = None
    prefix_path: Text = None
    win_prefix_path: Text = mark(dead="rkx has no Windows nodes")
    addon_job_timeout: Number = None
    addon_job_retries: Number = mark(dead="use addon_job_timeout")
    restore: RestoreKeys | None = mark(dead="only Rancher set it, and rkx restores nothing because of a file")
    rotate_certificates: RotateKeys | None = mark(dead="rkx rotates nothing because of a file")
    rotate_encryption_key: Flag = mark(dead="rkx rotates nothing because of a file")
    state: StateKeys | None = None
    profile: Profile | None = None
    accept_risk: Texts = None
