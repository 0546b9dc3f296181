"""The six services."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import msgspec

from rkx.config.schema.marks import Flag, Key, Number, Raw, RawMap, Text, TextMap, Texts
from rkx.secret import Secret

IMAGE = "images of services have no effect since RKE v0.1; use system_images"
WINDOWS = "rkx has no Windows nodes"
OLD = "it was read by no RKE since v0.3"


class ServiceKeys(msgspec.Struct, kw_only=True, eq=False):
    """What all six services have."""

    image: Annotated[Text, Key(dead=IMAGE)] = None
    extra_args: TextMap = None
    extra_args_array: Mapping[str, tuple[str, ...]] | None = None
    extra_binds: Texts = None
    extra_env: Texts = None
    win_extra_args: Annotated[TextMap, Key(dead=WINDOWS)] = None
    win_extra_args_array: Annotated[Mapping[str, tuple[str, ...]] | None, Key(dead=WINDOWS)] = None
    win_extra_binds: Annotated[Texts, Key(dead=WINDOWS)] = None
    win_extra_env: Annotated[Texts, Key(dead=WINDOWS)] = None
    service_options: Annotated[RawMap, Key(dead=OLD)] = None


class S3Keys(msgspec.Struct, kw_only=True, eq=False):
    """``services.etcd.backup_config.s3backupconfig``."""

    access_key: Secret[str] | None = None
    secret_key: Secret[str] | None = None
    bucket_name: Text = None
    region: Text = None
    endpoint: Text = None
    custom_ca: Text = None
    folder: Text = None


class BackupKeys(msgspec.Struct, kw_only=True, eq=False):
    """``services.etcd.backup_config``."""

    enabled: Flag = None
    interval_hours: Number = None
    retention: Number = None
    timeout: Number = None
    safe_timestamp: Annotated[Flag, Key(dead="only Rancher read it")] = None
    s3_backup_config: Annotated[S3Keys | None, Key(name="s3backupconfig", also=("s3_backup_config",))] = None


EXTERNAL = "rkx runs etcd itself: take this out and give nodes the role etcd"


class EtcdKeys(ServiceKeys, kw_only=True, eq=False):
    """``services.etcd``."""

    external_urls: Annotated[Texts, Key(refuse=EXTERNAL)] = None
    ca_cert: Annotated[Text, Key(refuse=EXTERNAL)] = None
    cert: Annotated[Text, Key(refuse=EXTERNAL)] = None
    key: Annotated[Secret[str] | None, Key(refuse=EXTERNAL)] = None
    path: Annotated[Text, Key(refuse=EXTERNAL)] = None
    uid: Number = None
    gid: Number = None
    snapshot: Flag = None
    creation: Text = None
    retention: Text = None
    backup_config: BackupKeys | None = None


class EncryptionKeys(msgspec.Struct, kw_only=True, eq=False):
    """``services.kube-api.secrets_encryption_config``."""

    enabled: Flag = None
    custom_config: Raw = None


class AuditKeys(msgspec.Struct, kw_only=True, eq=False):
    """``services.kube-api.audit_log.configuration``."""

    max_age: Number = None
    max_backup: Number = None
    max_size: Number = None
    path: Text = None
    format: Text = None
    policy: Raw = None


class AuditLogKeys(msgspec.Struct, kw_only=True, eq=False):
    """``services.kube-api.audit_log``."""

    enabled: Flag = None
    configuration: AuditKeys | None = None


class RateLimitKeys(msgspec.Struct, kw_only=True, eq=False):
    """``services.kube-api.event_rate_limit``."""

    enabled: Flag = None
    configuration: Raw = None


class KubeApiKeys(ServiceKeys, kw_only=True, eq=False):
    """``services.kube-api``."""

    service_cluster_ip_range: Text = None
    service_node_port_range: Text = None
    pod_security_configuration: Text = None
    pod_security_policy: Annotated[Flag, Key(dead="Kubernetes has no pod security policies since 1.25")] = None
    always_pull_images: Flag = None
    secrets_encryption_config: EncryptionKeys | None = None
    audit_log: AuditLogKeys | None = None
    admission_configuration: Raw = None
    event_rate_limit: RateLimitKeys | None = None


class KubeControllerKeys(ServiceKeys, kw_only=True, eq=False):
    """``services.kube-controller``."""

    cluster_cidr: Text = None
    service_cluster_ip_range: Text = None


class KubeletKeys(ServiceKeys, kw_only=True, eq=False):
    """``services.kubelet``."""

    cluster_domain: Text = None
    cluster_dns_server: Text = None
    infra_container_image: Text = None
    fail_swap_on: Flag = None
    generate_serving_certificate: Flag = None


class ServicesKeys(msgspec.Struct, kw_only=True, eq=False):
    """``services``; other names than these are service providers with their options."""

    etcd: EtcdKeys | None = None
    kube_api: Annotated[KubeApiKeys | None, Key(name="kube-api")] = None
    kube_controller: Annotated[KubeControllerKeys | None, Key(name="kube-controller")] = None
    scheduler: ServiceKeys | None = None
    kubelet: KubeletKeys | None = None
    kubeproxy: ServiceKeys | None = None
