"""What cluster.yml may say under ``services``: RKE's keys that rkx acts on."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

import msgspec

EMPTY: Mapping[str, Any] = MappingProxyType({})


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """What every service has: arguments of the user's, more folders, more environment.

    ``extra_args`` replaces an argument of rkx's, and removes it with an empty value; ``extra_args_array`` gives an
    argument once per value, besides the others. Binds are written as Docker does, variables ``NAME=VALUE``.
    """

    extra_args: Mapping[str, str] = EMPTY
    extra_args_array: Mapping[str, tuple[str, ...]] = EMPTY
    extra_binds: tuple[str, ...] = ()
    extra_env: tuple[str, ...] = ()


class Etcd(Program, frozen=True, kw_only=True):
    """etcd; ``uid`` and ``gid`` count when both are above 0, else rkx's own are taken."""

    uid: int = 0
    gid: int = 0


class Encryption(msgspec.Struct, frozen=True, kw_only=True):
    """Encryption of Secrets in etcd; ``custom_config`` is a whole EncryptionConfiguration."""

    enabled: bool = True
    custom_config: Mapping[str, Any] | None = None


class AuditConfiguration(msgspec.Struct, frozen=True, kw_only=True):
    """Where the audit log goes: ``max_age`` in days, ``max_size`` in megabytes; ``policy`` is a whole Policy."""

    max_age: int = 30
    max_backup: int = 10
    max_size: int = 100
    path: str = "/var/log/kube-audit/audit-log.json"
    format: Literal["json", "legacy"] = "json"
    policy: Mapping[str, Any] | None = None


class AuditLog(msgspec.Struct, frozen=True, kw_only=True):
    """The API server's audit log."""

    enabled: bool = True
    configuration: AuditConfiguration = AuditConfiguration()


class EventRateLimit(msgspec.Struct, frozen=True, kw_only=True):
    """The admission plugin EventRateLimit; ``configuration`` is its whole Configuration."""

    enabled: bool = True
    configuration: Mapping[str, Any] | None = None


class KubeApi(Program, frozen=True, kw_only=True):
    """The API server; ``admission_configuration`` is a whole AdmissionConfiguration, its plugins are kept.

    What is None follows the cluster's profile.
    """

    service_node_port_range: str = "30000-32767"
    always_pull_images: bool | None = None
    secrets_encryption_config: Encryption = Encryption()
    audit_log: AuditLog = AuditLog()
    event_rate_limit: EventRateLimit = EventRateLimit()
    pod_security_configuration: Literal["privileged", "baseline", "restricted"] | None = None
    admission_configuration: Mapping[str, Any] | None = None


class Kubelet(Program, frozen=True, kw_only=True):
    """The kubelet; ``infra_container_image`` is the image of the container that holds a pod's network."""

    fail_swap_on: bool = False
    infra_container_image: str = ""


class KubernetesConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The six services, and where cri-dockerd serves exec, logs and port-forward to the kubelet."""

    etcd: Etcd = Etcd()
    kube_api: KubeApi = KubeApi()
    kube_controller: Program = Program()
    scheduler: Program = Program()
    kubelet: Kubelet = Kubelet()
    kubeproxy: Program = Program()
    cri_dockerd_stream_server_address: str = "127.0.0.1"
    cri_dockerd_stream_server_port: int = 10010
