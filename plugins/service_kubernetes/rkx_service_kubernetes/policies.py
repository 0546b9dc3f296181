"""The API server's policy files: audit, admission, and its user's own encryption."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import rkx
from rkx_service_kubernetes.config import KubeApi
from rkx_service_kubernetes.service_dirs import ServiceDir, as_json

EXEMPT = ("kube-system",)
"""Namespaces whose pods Pod Security never judges: one that does not exist yet cannot be trusted."""


def audit(config: KubeApi) -> Mapping[str, Any]:
    """Return the audit policy: bodies of secrets are never written."""
    if config.audit_log.configuration.policy is not None:
        return config.audit_log.configuration.policy
    return {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "rules": [
            _rule("None", users=["system:kube-proxy"], verbs=["watch"]),
            _rule(
                "None", userGroups=["system:nodes"], verbs=["get", "update", "patch"], resources=_of("", "nodes/status")
            ),
            _rule("None", resources=_of("coordination.k8s.io", "leases")),
            _rule("None", resources=[*_of("", "events"), *_of("events.k8s.io", "events")]),
            _rule("None", nonResourceURLs=["/healthz*", "/livez*", "/readyz*", "/version"]),
            _rule(
                "Metadata",
                resources=[
                    *_of("", "secrets", "configmaps", "serviceaccounts/token"),
                    *_of("authentication.k8s.io", "tokenreviews"),
                ],
            ),
            _rule(
                "Request",
                verbs=["create", "update", "patch", "delete", "deletecollection"],
                resources=[
                    *_of("rbac.authorization.k8s.io"),
                    *_of("admissionregistration.k8s.io"),
                    *_of("certificates.k8s.io"),
                    *_of("", "nodes"),
                ],
            ),
            _rule("Metadata"),
        ],
    }


def _rule(level: str, **match: object) -> dict[str, Any]:
    return {"level": level, **match}


def _of(group: str, *resources: str) -> list[dict[str, Any]]:
    return [{"group": group, "resources": list(resources)} if resources else {"group": group}]


def admission(config: KubeApi, level: str) -> dict[str, Any]:
    """Return the one file for all admission plugins; a user's own entries go before rkx's.

    ``level`` is what Pod Security holds pods to where their namespace names none.
    """
    written = config.admission_configuration or {}
    own = {"PodSecurity": _pod_security(level)}
    if config.event_rate_limit.enabled:
        own["EventRateLimit"] = config.event_rate_limit.configuration or _event_rate_limit()
    given = {entry["name"]: dict(entry) for entry in written.get("plugins", ())}
    entries = given | {name: {"name": name, "configuration": own[name]} for name in own if name not in given}
    return {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "AdmissionConfiguration",
        "plugins": [entries[name] for name in sorted(entries)],
    }


def _pod_security(level: str) -> Mapping[str, Any]:
    defaults = {mode: level for mode in ("enforce", "audit", "warn")}
    versions = {f"{mode}-version": "latest" for mode in defaults}
    return {
        "apiVersion": "pod-security.admission.config.k8s.io/v1",
        "kind": "PodSecurityConfiguration",
        "defaults": defaults | versions,
        "exemptions": {"usernames": [], "runtimeClasses": [], "namespaces": list(EXEMPT)},
    }


def _event_rate_limit() -> Mapping[str, Any]:
    return {
        "apiVersion": "eventratelimit.admission.k8s.io/v1alpha1",
        "kind": "Configuration",
        "limits": [{"type": "Server", "qps": 5000, "burst": 20000}],
    }


def encryption(config: KubeApi, place: ServiceDir, identity: str) -> str:
    """Add the EncryptionConfiguration and give its path; the user's own holds keys, so it is a secret."""
    custom = config.secrets_encryption_config.custom_config
    if custom is not None:
        return place.put("encryption.yaml", rkx.Secret(as_json(custom)))
    return place.put("encryption.yaml", rkx.CredentialRef(identity=identity, what="rendered"))
