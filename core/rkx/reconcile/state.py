"""What must outlive a run: credentials, immutable values, what was applied."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

import msgspec

from rkx.model.cluster import EMPTY
from rkx.model.facts import HostFacts
from rkx.model.identity import CredentialInfo
from rkx.model.key import ObjectKey
from rkx.model.manifest import object_key
from rkx.secret import Secret

KEY_BYTES = 32


class Credential(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Issued credentials, part by part; a plan needs only the keyed ``digests`` of them."""

    saved: CredentialInfo
    parts: Mapping[str, Secret[bytes]] = EMPTY
    digests: Mapping[str, str] = EMPTY


class Former(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A folder that lay on the machine before: if it held nothing, its mode in octal digits, and its owner."""

    path: str
    empty: bool
    mode: str
    uid: int
    gid: int


class NodeRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A node that belongs to the cluster: how to reach it without cluster.yml, and which machine it is.

    ``paths`` are files and folders that rkx made there, ``containers`` those that it made, ``former`` folders that lay
    there before. ``facts`` are what rkx-node said last, as far as known; ``prepared`` tells that it was installed once.
    """

    address: str
    internal_address: str
    roles: tuple[str, ...]
    transport: str = ""
    options: Mapping[str, Any] = EMPTY
    engine_id: str = ""
    paths: tuple[str, ...] = ()
    former: tuple[Former, ...] = ()
    containers: tuple[str, ...] = ()
    facts: HostFacts | None = None
    prepared: bool = False

    @property
    def was_asked(self) -> bool:
        """Return whether rkx-node ever spoke there, whatever is known now of what it said."""
        return self.prepared or self.facts is not None


class ObjectRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An object that was applied: digests of what was wanted, and of the same fields as the API then showed them.

    One that was there before rkx is ``adopted``: it is never deleted.
    """

    api_version: str
    kind: str
    namespace: str
    name: str
    wanted: str = ""
    live: str = ""
    adopted: bool = False

    @property
    def key(self) -> ObjectKey:
        """Name the object in plans."""
        return object_key(self.api_version, self.kind, self.namespace, self.name)


class State(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One generation of the state; ``run`` changed the cluster last, and ``number`` is that of its lock."""

    cluster_id: str
    digest_key: Secret[bytes]
    generation: int = 0
    run: str = ""
    number: int = 0
    immutable: Mapping[str, str] = EMPTY
    credentials: Mapping[str, Credential] = EMPTY
    nodes: Mapping[str, NodeRecord] = EMPTY
    objects: Mapping[str, ObjectRecord] = EMPTY

    @property
    def key(self) -> bytes:
        """Return the key of this cluster's digests."""
        return self.digest_key.reveal()

    def saved(self) -> dict[str, CredentialInfo]:
        """Return what an auth plugin may know of the credentials."""
        return {name: credential.saved for name, credential in self.credentials.items()}


def new_state() -> State:
    """Make the state of a new cluster: a random id and a random key for digests."""
    return State(cluster_id=secrets.token_hex(8), digest_key=Secret(secrets.token_bytes(KEY_BYTES)))
