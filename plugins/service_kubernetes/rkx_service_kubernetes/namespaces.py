"""The namespaces that Kubernetes makes itself: their default accounts, and who may reach their pods."""

from __future__ import annotations

import json
from typing import Any

import rkx
from rkx_service_kubernetes import hardening
from rkx_service_kubernetes.site import NodeContext

DNS = ({"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53})


def resources(site: NodeContext) -> list[rkx.Resource]:
    """Close the default accounts, and with a profile the pods, where the network enforces it.

    Each control plane node gives the same, so that it is wanted whichever of them answers.
    """
    if not site.node.has("controlplane"):
        return []
    items = [_without_token(namespace) for namespace in hardening.without_tokens(site.cluster)]
    if hardening.is_cis(site.cluster) and site.network.enforces_policies:
        items += _policies()
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": items}, indent=2)
    return [rkx.Manifest(name="kubernetes-namespaces", text=text, after=(rkx.API_READY,))]


def _without_token(namespace: str) -> dict[str, Any]:
    """Describe a default account, which Kubernetes makes, with no token for the pods that use it."""
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "default", "namespace": namespace},
        "automountServiceAccountToken": False,
    }


def _policies() -> list[dict[str, Any]]:
    """Let pods be reached from their own namespace alone, but for DNS and for API servers that ask for metrics."""
    same: dict[str, Any] = {"from": [{"podSelector": {}}]}
    return [
        *(_policy(name, "rkx-own-namespace", {}, same) for name in hardening.BUILT_IN),
        _policy("kube-system", "rkx-dns", {"k8s-app": "kube-dns"}, {"ports": list(DNS)}),
        _policy("kube-system", "rkx-metrics", {"k8s-app": "metrics-server"}, {}),
    ]


def _policy(namespace: str, name: str, labels: dict[str, str], ingress: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "podSelector": {"matchLabels": labels} if labels else {},
            "policyTypes": ["Ingress"],
            "ingress": [ingress],
        },
    }
