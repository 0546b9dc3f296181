"""Network policies of the namespaces that Kubernetes makes itself, for networks that enforce any."""

from __future__ import annotations

import json
from typing import Any

import rkx
from rkx_service_kubernetes import hardening
from rkx_service_kubernetes.site import Site

DNS = ({"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53})


def resources(site: Site) -> list[rkx.Resource]:
    """Let pods of a built-in namespace be reached from that namespace alone, but for DNS and for API servers.

    Each control plane node gives the same, so that it is wanted whichever of them answers.
    """
    if not hardening.is_cis(site.cluster) or not site.network.enforces_policies:
        return []
    items = [_policy(name, "rkx-own-namespace", {}, _same()) for name in hardening.BUILT_IN]
    items.append(_policy("kube-system", "rkx-dns", {"k8s-app": "kube-dns"}, {"ports": list(DNS)}))
    items.append(_policy("kube-system", "rkx-metrics", {"k8s-app": "metrics-server"}, {}))
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": items}, indent=2)
    return [rkx.Manifest(name="kubernetes-isolation", text=text, after=(rkx.API_READY,))]


def _same() -> dict[str, Any]:
    return {"from": [{"podSelector": {}}]}


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
