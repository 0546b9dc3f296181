"""metrics-server's objects in the cluster, as YAML documents."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import rkx
from rkx_addon_metrics_server.config import MetricsServerConfig, UpdateStrategy

BUILT = "rkx/metrics-server:v0.9.0"
PUBLIC = "registry.k8s.io/metrics-server/metrics-server:v"
LATEST = "0.9.0"  # for 1.34 and later, by its compatibility matrix
VERSIONS = {30: "0.7.2", 31: "0.8.1", 32: "0.8.1", 33: "0.8.1"}
LABELS = {"k8s-app": "metrics-server"}
PORT = 10250
FLAGS = {
    "cert-dir": "/tmp",  # noqa: S108 # an empty volume of the pod
    "kubelet-certificate-authority": "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt",
    "kubelet-preferred-address-types": "InternalIP,ExternalIP,Hostname",
    "kubelet-request-timeout": "5s",  # must be below the resolution
    "kubelet-use-node-status-port": "",
    "metric-resolution": "10s",  # the least it takes; it first looks, and is ready, when this time is over
    "secure-port": str(PORT),
}
UNVERIFIED = frozenset({"kubelet-insecure-tls", "deprecated-kubelet-completely-insecure"})
STARTING = {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoSchedule"}
ROLES = (
    {"key": "CriticalAddonsOnly", "operator": "Exists"},
    {"key": "node-role.kubernetes.io/control-plane", "operator": "Exists"},
    {"key": "node-role.kubernetes.io/controlplane", "operator": "Exists"},
    {"key": "node-role.kubernetes.io/etcd", "operator": "Exists"},
)


def objects(config: MetricsServerConfig, cluster: rkx.Cluster) -> str:
    """Write all objects; the Deployment is the last document."""
    fixed = files(__package__).joinpath("templates/metrics-server.yaml").read_text("utf-8")
    return f"{fixed}---\n{json.dumps(_deployment(config, image(cluster)), indent=2)}\n"


def image(cluster: rkx.Cluster) -> str:
    """Choose the image by layout and minor."""
    public = PUBLIC + VERSIONS.get(cluster.minor, LATEST)
    return cluster.image("metrics_server", BUILT if cluster.image_layout == "rkx" else public)


def arguments(options: Mapping[str, str]) -> list[str]:
    """Put the user's flags over ours, in the order of their names."""
    chosen = {flag: value for flag, value in {**FLAGS, **options}.items() if flag not in UNVERIFIED}
    return [f"--{flag}={chosen[flag]}" if chosen[flag] else f"--{flag}" for flag in sorted(chosen)]


def _deployment(config: MetricsServerConfig, image: str) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "metrics-server", "namespace": "kube-system", "labels": {**LABELS}},
        "spec": {
            "replicas": config.replicas,
            "selector": {"matchLabels": {**LABELS}},
            "strategy": _strategy(config.update_strategy),
            "template": {"metadata": {"labels": {**LABELS}}, "spec": _pod(config, image)},
        },
    }


def _strategy(update: UpdateStrategy) -> dict[str, Any]:
    if update.strategy == "Recreate":
        return {"type": "Recreate"}
    return {"type": "RollingUpdate", "rollingUpdate": dict(update.rollingUpdate)}


def _pod(config: MetricsServerConfig, image: str) -> dict[str, Any]:
    return {
        "serviceAccountName": "metrics-server",
        "priorityClassName": config.metrics_server_priority_class_name,
        "nodeSelector": {"kubernetes.io/os": "linux", **config.node_selector},
        "tolerations": [STARTING, *(dict(toleration) for toleration in config.tolerations or ROLES)],
        "containers": [_container(config, image)],
        "volumes": [{"name": "certificates", "emptyDir": {}}],
    }


def _container(config: MetricsServerConfig, image: str) -> dict[str, Any]:
    return {
        "name": "metrics-server",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "args": arguments(config.options),
        "ports": [{"name": "https", "containerPort": PORT, "protocol": "TCP"}],
        "resources": {"requests": {"cpu": "100m", "memory": "200Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
            "runAsUser": 1000,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "livenessProbe": {"httpGet": {"path": "/livez", "port": PORT, "scheme": "HTTPS"}, "periodSeconds": 10},
        "readinessProbe": {
            "httpGet": {"path": "/readyz", "port": PORT, "scheme": "HTTPS"},
            "periodSeconds": 1,
            "timeoutSeconds": 2,
        },
        "volumeMounts": [{"name": "certificates", "mountPath": "/tmp"}],  # noqa: S108 # as above
    }
