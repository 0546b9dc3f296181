"""CoreDNS's objects in the cluster, as YAML documents."""

from __future__ import annotations

import hashlib
import json
from importlib.resources import files
from math import ceil
from typing import Any

import rkx
from rkx_addon_coredns.config import CoreDnsConfig, UpdateStrategy
from rkx_addon_coredns.corefile import corefile

BUILT = "rkx/coredns:v1.14.7"
PUBLIC = "registry.k8s.io/coredns/coredns:v"
VERSIONS = {  # by minor of Kubernetes, as its own installer has them
    30: "1.11.1",
    31: "1.11.3",
    32: "1.11.3",
    33: "1.12.0",
    34: "1.12.1",
    35: "1.13.1",
    36: "1.14.2",
    37: "1.14.6",
}
LABELS = {"k8s-app": "kube-dns"}
NODES_PER_REPLICA = 4  # what RKE's autoscaler was given
STARTING = {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoSchedule"}
ROLES = (
    {"key": "CriticalAddonsOnly", "operator": "Exists"},
    {"key": "node-role.kubernetes.io/control-plane", "operator": "Exists"},
    {"key": "node-role.kubernetes.io/controlplane", "operator": "Exists"},
    {"key": "node-role.kubernetes.io/etcd", "operator": "Exists"},
)


def objects(config: CoreDnsConfig, cluster: rkx.Cluster) -> str:
    """Write all objects; the Deployment is the last document."""
    text = corefile(config, cluster.dns_domain)
    template = files(__package__).joinpath("templates/coredns.yaml").read_text("utf-8")
    fixed = rkx.render(template, corefile=text, dns_address=cluster.dns_address)
    deployment = _deployment(config, cluster, hashlib.sha256(text.encode()).hexdigest()[:16])
    return f"{fixed}---\n{json.dumps(deployment, indent=2)}\n"


def image(cluster: rkx.Cluster) -> str:
    """Choose the image by layout and minor."""
    public = PUBLIC + VERSIONS.get(cluster.minor, VERSIONS[max(VERSIONS)])
    return cluster.image("coredns", BUILT if cluster.image_layout == "rkx" else public)


def _deployment(config: CoreDnsConfig, cluster: rkx.Cluster, corefile_digest: str) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "coredns", "namespace": "kube-system", "labels": {**LABELS}},
        "spec": {
            "replicas": max(1, ceil(len(cluster.nodes) / NODES_PER_REPLICA)),
            "selector": {"matchLabels": {**LABELS}},
            "strategy": _strategy(config.update_strategy),
            "template": {
                # its reload plugin waits for the kubelet's next look at the ConfigMap: new pods are sooner
                "metadata": {"labels": {**LABELS}, "annotations": {"checksum/corefile": corefile_digest}},
                "spec": _pod(config, image(cluster)),
            },
        },
    }


def _strategy(update: UpdateStrategy) -> dict[str, Any]:
    if update.strategy == "Recreate":
        return {"type": "Recreate"}
    return {"type": "RollingUpdate", "rollingUpdate": dict(update.rollingUpdate)}


def _pod(config: CoreDnsConfig, image: str) -> dict[str, Any]:
    # not every taint: one pod on a node that died has to move to another
    tolerations = [STARTING, *(dict(toleration) for toleration in config.tolerations or ROLES)]
    on_workers = {"matchExpressions": [{"key": "node-role.kubernetes.io/worker", "operator": "Exists"}]}
    preferred = [{"weight": 100, "preference": on_workers}]
    return {
        "serviceAccountName": "coredns",
        "priorityClassName": config.options.coredns_priority_class_name,
        "dnsPolicy": "Default",
        "nodeSelector": {"kubernetes.io/os": "linux", **config.node_selector},
        "affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}},
        "tolerations": tolerations,
        "containers": [_container(image)],
        "volumes": [
            {"name": "config", "configMap": {"name": "coredns", "items": [{"key": "Corefile", "path": "Corefile"}]}}
        ],
    }


def _container(image: str) -> dict[str, Any]:
    return {
        "name": "coredns",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "args": ["-conf", "/etc/coredns/Corefile"],
        "ports": [
            {"name": "dns", "containerPort": 53, "protocol": "UDP"},
            {"name": "dns-tcp", "containerPort": 53, "protocol": "TCP"},
            {"name": "metrics", "containerPort": 9153, "protocol": "TCP"},
        ],
        "resources": {"requests": {"cpu": "100m", "memory": "70Mi"}, "limits": {"memory": "170Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
        "livenessProbe": {
            "httpGet": {"path": "/health", "port": 8080},
            "initialDelaySeconds": 60,
            "timeoutSeconds": 5,
            "failureThreshold": 5,
        },
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8181}, "periodSeconds": 1, "timeoutSeconds": 2},
        "volumeMounts": [{"name": "config", "mountPath": "/etc/coredns", "readOnly": True}],
    }
