"""The objects that the cluster's own parts need before anything else works."""

from __future__ import annotations

import json
from typing import Any

import rkx
from rkx_service_kubernetes.identities import ADMINS, KUBELET_CLIENT

RBAC = "rbac.authorization.k8s.io"


def manifest() -> rkx.Manifest:
    """Let API servers call kubelets, and the operator's group do everything.

    Each control plane node gives the same, so that it is wanted whichever of them answers.
    """
    items = [
        _binding("rkx:kubelet-api-admin", "system:kubelet-api-admin", "User", KUBELET_CLIENT),
        _binding(ADMINS, "cluster-admin", "Group", ADMINS),
    ]
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": items}, indent=2)
    return rkx.Manifest(name="kubernetes-rbac", text=text, after=(rkx.API_READY,))


def _binding(name: str, role: str, kind: str, subject: str) -> dict[str, Any]:
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": RBAC, "kind": kind, "name": subject}],
    }
