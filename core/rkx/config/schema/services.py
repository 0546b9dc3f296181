"""The six services."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rkx.config.schema.marks import Flag, Number, Raw, RawMap, Text, TextMap, Texts, mark
from rkx.secret import Secret

IMAGE = "images of services have no effect since RKE v0.1; use system_images"
WINDOWS = "rkx has no Windows nodes"
OLD = "it was read by no RKE since v0.3"


@dataclass(kw_only=True, eq=False, repr=False)
class ServiceKeys:
    """What all six services have."""

    image: Text = mark(dead=IMAGE)
    extra_args: TextMap = None
    extra_args_array: Mapping[str, tuple[str, ...]] | None = None
    extra_binds: Texts = None
    extra_env: Texts = None
    win_extra_args: TextMap = mark(dead=WINDOWS)
    win_extra_args_array: Mapping[str, tuple[str, ...]] | None = mark(dead=WINDOWS)
    win_extra_binds: Texts = mark(dead=WINDOWS)
    win_extra_env: Texts = mark(dead=WINDOWS)
    service_options: RawMap = mark(dead=OLD)


@dataclass(kw_only=True, eq=False, repr=False)
class S3Keys:
    """``services.etcd.backup_config.s3backupconfig``."""

    access_key: Secret[str] | None = None
    secret_key: Secret[str] | None = None
    bucket_name: Text = None
    region: Text = None
    endpoint: Text = None
    custom_ca: Text = None
    folder: Text = None


@dataclass(kw_only=True, eq=False, repr=False)
class BackupKeys:
    """``services.etcd.backup_config``."""

    enabled: Flag = None
    interval_hours: Number = None
    retention: Number = None
    timeout: Number = None
    safe_timestamp: Flag = mark(dead="only Rancher read it")
    s3_backup_config: S3Keys | None = mark("s3backupconfig", also=("s3_backup_config",))


EXTERNAL = "rkx runs etcd itself: take this out and give nodes the role etcd"


@dataclass(kw_only=True, eq=False, repr=False)
class EtcdKeys(ServiceKeys):
    """``services.etcd``."""

    external_urls: Texts = mark(refuse=EXTERNAL)
    ca_cert: Text = mark(refuse=EXTERNAL)
    cert: Text = mark(refuse=EXTERNAL)
    key: Secret[str] | None = mark(refuse=EXTERNAL)
    path: Text = mark(refuse=EXTERNAL)
    uid: Number = None
    gid: Number = None
    snapshot: Flag = None
    creation: Text = None
    retention: Text = None
    backup_config: BackupKeys | None = None


@dataclass(kw_only=True, eq=False, repr=False)
class EncryptionKeys:
    """``services.kube-api.secrets_encryption_config``."""

    enabled: Flag = None
    custom_config: Raw = None


@dataclass(kw_only=True, eq=False, repr=False)
class AuditKeys:
    """``services.kube-api.audit_log.configuration``."""

    max_age: Number = None
    max_backup: Number = None
    max_size: Number = None
    path: Text = None
    format: Text = None
    policy: Raw = None


@dataclass(kw_only=True, eq=False, repr=False)
class AuditLogKeys:
    """``services.kube-api.audit_log``."""

    enabled: Flag = None
    configuration: AuditKeys | None = None


@dataclass(kw_only=True, eq=False, repr=False)
class RateLimitKeys:
    """``services.kube-api.event_rate_limit``."""

    enabled: Flag = None
    configuration: Raw = None


@dataclass(kw_only=True, eq=False, repr=False)
class KubeApiKeys(ServiceKeys):
    """``services.kube-api``."""

    service_cluster_ip_range: Text = None
    service_node_port_range: Text = None
    pod_security_configuration: Text = None
    pod_security_policy: Flag = mark(dead="Kubernetes has no pod security policies since 1.25")
    always_pull_images: Flag = None
    secrets_encryption_config: EncryptionKeys | None = None
    audit_log: AuditLogKeys | None = None
    admission_configuration: Raw = None
    event_rate_limit: RateLimitKeys | None = None


@dataclass(kw_only=True, eq=False, repr=False)
class KubeControllerKeys(ServiceKeys):
    """``services.kube-controller``."""

    cluster_cidr: Text = None
    service_cluster_ip_range: Text = None


@dataclass(kw_only=True, eq=False, repr=False)
class KubeletKeys(ServiceKeys):
    """``services.kubelet``."""

    cluster_domain: Text = None
    cluster_dns_server: Text = None
    infra_container_image: Text = None
    fail_swap_on: Flag = None
    generate_serving_certificate: Flag = None


@dataclass(kw_only=True, eq=False, repr=False)
class ServicesKeys:
    """``services``; other names than these are service providers with their options."""

    etcd: EtcdKeys | None = None
    kube_api: KubeApiKeys | None = mark("kube-api")
    kube_controller: KubeControllerKeys | None = mark("kube-controller")
    scheduler: ServiceKeys | None = None
    kubelet: KubeletKeys | None = None
    kubeproxy: ServiceKeys | None = None
