"""The top level of cluster.yml."""

from __future__ import annotations

from typing import Annotated

import msgspec

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
from rkx.config.schema.marks import Flag, Key, Number, RawMap, Text, Texts
from rkx.config.schema.network import NetworkKeys
from rkx.config.schema.nodes import BastionKeys, NodeKeys, SshKeys
from rkx.config.schema.services import ServicesKeys
from rkx.model.cluster import ImageLayout, Profile
from rkx.secret import Secret


class StateKeys(msgspec.Struct, kw_only=True, eq=False):
    """``state``: what would seal the copies of the state on the nodes."""

    key: Annotated[
        Secret[str] | None,
        Key(
            refuse="take it out: the copies on control plane and etcd nodes are not sealed, root there reads every key"
        ),
    ] = None


class ClusterKeys(msgspec.Struct, kw_only=True, eq=False):
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
    cloud_provider: Annotated[CloudKeys | None, Key(later=True)] = None
    system_images: Annotated[RawMap, Key(table=IMAGES)] = None
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
    win_prefix_path: Annotated[Text, Key(dead="rkx has no Windows nodes")] = None
    addon_job_timeout: Number = None
    addon_job_retries: Annotated[Number, Key(dead="use addon_job_timeout")] = None
    restore: Annotated[
        RestoreKeys | None, Key(dead="only Rancher set it, and rkx restores nothing because of a file")
    ] = None
    rotate_certificates: Annotated[RotateKeys | None, Key(dead="rkx rotates nothing because of a file")] = None
    rotate_encryption_key: Annotated[Flag, Key(dead="rkx rotates nothing because of a file")] = None
    state: StateKeys | None = None
    profile: Profile | None = None
    accept_risk: Texts = None
