"""The objects that the cluster's own parts need before anything else works."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import rkx
from rkx_service_kubernetes.identities import ADMINS, INSTALLER, KUBELET_CLIENT, user
from rkx_service_kubernetes.site import NodeContext

RBAC = "rbac.authorization.k8s.io"
SELF_NODE_CLIENT = "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient"


def manifests(site: NodeContext) -> list[rkx.Manifest]:
    """Let the operator's group and core do everything, then API servers call kubelets and nodes renew themselves.

    The nodes are named one by one: one that is taken out of cluster.yml gets no further certificate, whoever holds its
    present one. The controller manager approves what a node asks for itself, as its certificate must name the asker.
    Each control plane node gives the same, so that they are wanted whichever of them answers.
    """
    admins = _binding(ADMINS, "cluster-admin", _subject("Group", ADMINS), _subject("User", INSTALLER))
    kubelets = _binding("rkx:kubelet-api-admin", "system:kubelet-api-admin", _subject("User", KUBELET_CLIENT))
    items = [kubelets]
    if site.auth.node_signer:
        users = [_subject("User", name) for name in sorted(user(node) for node in site.cluster.nodes)]
        items.append(_binding("rkx:nodes-renew-themselves", SELF_NODE_CLIENT, *users))
    return [_manifest("kubernetes-admins", [admins], grants=True), _manifest("kubernetes-rbac", items)]


def _manifest(name: str, items: Sequence[dict[str, Any]], *, grants: bool = False) -> rkx.Manifest:
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": items}, indent=2)
    return rkx.Manifest(name=name, text=text, after=(rkx.API_READY,), grants=grants)


def _binding(name: str, role: str, *subjects: dict[str, str]) -> dict[str, Any]:
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": role},
        "subjects": list(subjects),
    }


def _subject(kind: str, name: str) -> dict[str, str]:
    return {"apiGroup": RBAC, "kind": kind, "name": name}
