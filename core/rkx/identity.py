"""Authorities, credentials, and what an auth plugin issues."""

from rkx.model.identity import (
    ADMIN,
    DATASTORE_CA,
    FRONT_PROXY_CA,
    INSTALLER,
    KUBERNETES_CA,
    NODE_CLIENT_CA,
    SUPER_ADMIN,
    Authority,
    CredentialInfo,
    Identity,
    Issued,
    IssueRequest,
    Pending,
    Renewal,
    describe,
)

__all__ = [
    "ADMIN",
    "Authority",
    "CredentialInfo",
    "DATASTORE_CA",
    "FRONT_PROXY_CA",
    "INSTALLER",
    "Identity",
    "IssueRequest",
    "Issued",
    "KUBERNETES_CA",
    "NODE_CLIENT_CA",
    "Pending",
    "Renewal",
    "SUPER_ADMIN",
    "describe",
]
