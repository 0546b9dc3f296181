"""flannel's objects in the cluster, as YAML documents."""

from __future__ import annotations

import hashlib
import json
from importlib.resources import files
from typing import Any

import rkx
from rkx_network_flannel.config import FlannelConfig, UpdateStrategy

VERSION = "v0.28.10"  # the first one known to answer /readyz
IMAGES = {"rkx": f"rkx/flannel:{VERSION}", "public": f"ghcr.io/flannel-io/flannel:{VERSION}"}
HEALTH_PORT = 8081
LABELS = {"app": "flannel", "tier": "node"}


def objects(config: FlannelConfig, cluster: rkx.Cluster, network: rkx.NetworkSettings) -> str:
    """Write all objects; the DaemonSet is the last document."""
    net_conf = _net_conf(config, network.pod_cidr)
    template = files(__package__).joinpath("templates/flannel.yaml").read_text("utf-8")
    image = cluster.image("flannel", IMAGES[cluster.image_layout])
    daemon_set = _daemon_set(config, image, hashlib.sha256(net_conf.encode()).hexdigest()[:16])
    return f"{rkx.render(template, net_conf=net_conf)}---\n{json.dumps(daemon_set, indent=2)}\n"


def _net_conf(config: FlannelConfig, pod_cidr: str) -> str:
    backend: dict[str, Any] = {"Type": config.backend_type}
    if config.backend_type == "vxlan":
        backend |= {"VNI": config.backend_vni, "Port": config.backend_port}
    return json.dumps({"Network": pod_cidr, "EnableNFTables": False, "Backend": backend})


def _daemon_set(config: FlannelConfig, image: str, net_conf_digest: str) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "kube-flannel-ds", "namespace": "kube-flannel", "labels": {**LABELS}},
        "spec": {
            "selector": {"matchLabels": {**LABELS}},
            "updateStrategy": _update_strategy(config.update_strategy),
            "template": {
                # flanneld reads its configuration at start only: another digest makes new pods
                "metadata": {"labels": {**LABELS}, "annotations": {"checksum/net-conf": net_conf_digest}},
                "spec": _pod(config, image),
            },
        },
    }


def _update_strategy(update: UpdateStrategy) -> dict[str, Any]:
    if update.strategy == "OnDelete":
        return {"type": "OnDelete"}
    return {"type": "RollingUpdate", "rollingUpdate": dict(update.rollingUpdate)}


def _pod(config: FlannelConfig, image: str) -> dict[str, Any]:
    return {
        "hostNetwork": True,
        "serviceAccountName": "flannel",
        "priorityClassName": config.kube_flannel_priority_class_name,
        "nodeSelector": {"kubernetes.io/os": "linux", **config.node_selector},
        "tolerations": [{"operator": "Exists"}],
        "containers": [_container(config, image)],
        "volumes": [
            {"name": "run", "hostPath": {"path": "/run/flannel", "type": "DirectoryOrCreate"}},
            {"name": "lock", "hostPath": {"path": "/run/xtables.lock", "type": "FileOrCreate"}},
            {"name": "config", "configMap": {"name": "kube-flannel-cfg"}},
        ],
    }


def _container(config: FlannelConfig, image: str) -> dict[str, Any]:
    interface = [f"--iface={config.iface}"] if config.iface else []
    health = ["--healthz-ip=127.0.0.1", f"--healthz-port={HEALTH_PORT}"]
    return {
        "name": "kube-flannel",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["/opt/bin/flanneld"],
        "args": ["--ip-masq", "--kube-subnet-mgr", *health, *interface],
        "env": _environment(),
        "resources": {"requests": {"cpu": "100m", "memory": "50Mi"}},
        "securityContext": {"privileged": False, "capabilities": {"add": ["NET_ADMIN", "NET_RAW"]}},
        # ready: the subnet file is written and the rules are in place
        "readinessProbe": {
            "httpGet": {"host": "127.0.0.1", "path": "/readyz", "port": HEALTH_PORT},
            "periodSeconds": 1,
            "timeoutSeconds": 2,
        },
        "volumeMounts": [
            {"name": "run", "mountPath": "/run/flannel"},
            {"name": "lock", "mountPath": "/run/xtables.lock"},
            {"name": "config", "mountPath": "/etc/kube-flannel"},
        ],
    }


def _environment() -> list[dict[str, Any]]:
    """Reach the API server by the node's own port: the Service's address waits for kube-proxy."""
    named = {"POD_NAME": "metadata.name", "POD_NAMESPACE": "metadata.namespace"}
    fixed = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": "6443", "EVENT_QUEUE_DEPTH": "5000"}
    return [
        *({"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}} for name, path in named.items()),
        *({"name": name, "value": value} for name, value in fixed.items()),
    ]
