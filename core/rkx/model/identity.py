"""Who needs which credentials, and what is asked of an auth plugin."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Annotated, Literal

import msgspec

from rkx.secret import Secret

Usage = Literal["server", "client"]
IdentityKind = Literal["authority", "leaf", "keypair", "secret"]
Life = Literal["limited", "lasting", "self-renewed"]

KUBERNETES_CA = "kubernetes-ca"
DATASTORE_CA = "etcd-ca"
FRONT_PROXY_CA = "front-proxy-ca"
NODE_CLIENT_CA = "node-client-ca"
"""Signs the next client certificates of nodes, inside the cluster; API servers alone trust it, and for clients only."""
SUPER_ADMIN = "super-admin"
"""In ``system:masters``, above all roles: core gives its own user rights with it, no more. It stays in the state."""
INSTALLER = "installer"
"""Core's own user of the cluster, whose rights are a binding that a manifest with ``grants`` makes."""
ADMIN = "admin"
"""The operator's, in the group ``rkx:cluster-admins``."""


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Credentials that something needs.

    An ``authority`` signs; a ``leaf`` is signed by the one called ``authority``; a ``keypair`` has no certificate; a
    ``secret`` is 32 random bytes, put in base64 for ``${secret}`` into ``form``. ``node`` is empty for those that
    belong to no node: the operator's, and authorities.

    ``life`` says who has the next certificate made: of a ``limited`` one the operator, who comes back to use it; of a
    ``lasting`` one no one while the operator is away, so it should be valid as long as its authority; of a
    ``self-renewed`` one its holder, so that this is the holder's first, and its spare.
    """

    name: str
    kind: IdentityKind = "leaf"
    node: str = ""
    authority: str = ""
    common_name: str = ""
    organizations: tuple[str, ...] = ()
    sans: tuple[str, ...] = ()
    usages: frozenset[Usage] = frozenset()
    form: str = ""
    life: Life = "limited"
    owner: str = ""


def describe(identity: Identity) -> str:
    """Return a digest of all that credentials are issued for; another one means that they must be reissued."""
    said = [identity.kind, identity.authority, identity.common_name, *identity.organizations, identity.form]
    text = json.dumps([said, sorted(identity.sans), sorted(identity.usages)])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class CredentialInfo(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the state knows of issued credentials; no key.

    ``description`` is a digest of the identity that they were issued for: another one means that it changed.
    """

    name: str
    serial: str
    not_before: Annotated[datetime, msgspec.Meta(tz=True)] | None
    not_after: Annotated[datetime, msgspec.Meta(tz=True)] | None
    description: str
    authority_serial: str = ""


class Renewal(msgspec.Struct, frozen=True, kw_only=True):
    """Credentials to make or renew, and why."""

    identity: str
    reason: str


class Authority(msgspec.Struct, frozen=True, kw_only=True):
    """An authority's certificate and key, for the plugin whose own it is."""

    name: str
    certificate: bytes
    key: Secret[bytes]


class IssueRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One certificate to issue. Core made the key and the CSR (PEM).

    ``signer`` is the authority to sign with if it is the plugin's own; for an authority itself it is None and
    ``key`` is its own key, to sign itself with.
    """

    identity: Identity
    csr: bytes
    signer: Authority | None = None
    key: Secret[bytes] | None = None


class Issued(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate and the chain above it, PEM; empty for identities that have none."""

    identity: str
    certificate: bytes
    chain: bytes = b""


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """Not yet issued: ask again with ``ticket`` after ``retry_after_s``."""

    identity: str
    ticket: str
    retry_after_s: float
