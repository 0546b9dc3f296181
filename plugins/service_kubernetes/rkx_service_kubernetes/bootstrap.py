"""The objects that the cluster's own parts need before anything else works."""

from __future__ import annotations

import json
from typing import Any

import rkx
from rkx_service_kubernetes.identities import ADMINS, INSTALLER, KUBELET_CLIENT

RBAC = "rbac.authorization.k8s.io"


def manifests() -> list[rkx.Manifest]:
    """Let the operator's group and core do everything, then API servers call kubelets.

    Each control plane node gives the same, so that they are wanted whichever of them answers.
    """
    admins = _binding(ADMINS, "cluster-admin", _subject("Group", ADMINS), _subject("User", INSTALLER))
    kubelets = _binding("rkx:kubelet-api-admin", "system:kubelet-api-admin", _subject("User", KUBELET_CLIENT))
    return [_manifest("kubernetes-admins", admins, grants=True), _manifest("kubernetes-rbac", kubelets)]


def _manifest(name: str, body: dict[str, Any], *, grants: bool = False) -> rkx.Manifest:
    return rkx.Manifest(name=name, text=json.dumps(body, indent=2), after=(rkx.API_READY,), grants=grants)


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
