"""What plugins describe and core makes on a node: containers, folders, files, labels; and the union of all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Literal, TypeAlias

import msgspec
from msgspec.structs import replace

from rkx.model.cluster import EMPTY
from rkx.model.key import ContainerKey, FileKey, FolderKey, HostCleanupKey, NodeKey
from rkx.model.manifest import Manifest
from rkx.model.milestone import After, Milestone
from rkx.model.node import Taint
from rkx.secret import Secret

NODE_PROGRAM = "/var/lib/rkx/bin/rkx-node"
"""Where core puts its program on each node; its folder is mounted by containers that wrap themselves in it."""


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """Say when a container works: asked through the node every 100 ms until ``timeout_s``.

    ``address`` is ``tcp:HOST:PORT`` or ``unix:/path`` as seen from the node, with the login's rights. With ``path``
    an HTTP GET must answer 200, over TLS when ``authority`` names the authority that signed the server; ``identity`` is
    the client's.
    """

    address: str
    path: str = ""
    authority: str = ""
    identity: str = ""
    timeout_s: float = 120.0


class Mount(msgspec.Struct, frozen=True, kw_only=True):
    """A bind of a host folder; ``mode`` as Docker spells it, such as ``ro`` or ``rw,rshared``."""

    source: str
    target: str
    mode: str = "rw"

    def __str__(self) -> str:
        return f"{self.source}:{self.target}:{self.mode}"


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """A file, or every file below a folder, that a container reads, and what it needs when one changed."""

    path: PurePosixPath
    on_change: Literal["restart", "nothing"] = "restart"


class Container(msgspec.Struct, frozen=True, kw_only=True):
    """A container that core keeps running on a node.

    ``argv`` begins with the program, found on the image's PATH. ``bootstrap_args`` matter at first start
    only: they are sent, but are no reason to replace. ``images`` are further ones that it will ask the Engine for.
    ``after`` holds keys and milestones to wait for, ``reaches`` the milestones that its probe proves.
    """

    node: str
    name: str
    image: str
    argv: tuple[str, ...]
    bootstrap_args: tuple[str, ...] = ()
    env: Mapping[str, str] = EMPTY
    mounts: tuple[Mount, ...] = ()
    network: Literal["host", "none"] = "host"
    privileged: bool = False
    host_pid: bool = False
    host_cgroup: bool = False
    read_only: bool = False
    user: str = ""
    capabilities: tuple[str, ...] = ()
    stop_timeout_s: int = 10
    reads: tuple[Read, ...] = ()
    images: tuple[str, ...] = ()
    after: tuple[After, ...] = ()
    reaches: tuple[Milestone, ...] = ()
    probe: Probe | None = None
    owner: str = ""

    @property
    def key(self) -> ContainerKey:
        """Name the container in plans."""
        return ContainerKey(self.node, self.name)


class Folder(msgspec.Struct, frozen=True, kw_only=True):
    """A host folder of ours with exact mode and owner; ``on_remove`` keep leaves it on the machine."""

    node: str
    path: PurePosixPath
    mode: int = 0o700
    uid: int = 0
    gid: int = 0
    on_remove: Literal["delete", "keep"] = "delete"
    owner: str = ""

    @property
    def key(self) -> FolderKey:
        """Name the folder in plans."""
        return FolderKey(self.node, str(self.path))


PartName = Literal["certificate", "key", "chain", "ca-bundle", "public", "rendered"]


class CredentialRef(msgspec.Struct, frozen=True, kw_only=True):
    """One part of issued credentials, by name: core fills it in when it writes the file.

    ``ca-bundle`` is the certificate of an authority, ``public`` the public key of a key pair, ``rendered`` the form of
    a secret with the secret in it. The same part of those ``beside`` follows it in the file.
    """

    identity: str
    what: PartName
    beside: tuple[str, ...] = ()

    @property
    def identities(self) -> tuple[str, ...]:
        """List whose parts they are."""
        return (self.identity, *self.beside)


class File(msgspec.Struct, frozen=True, kw_only=True):
    """A file of ours with exact mode and owner, written beside, synced and renamed."""

    node: str
    path: PurePosixPath
    content: bytes | CredentialRef | Secret[bytes]
    mode: int = 0o600
    uid: int = 0
    gid: int = 0
    after: tuple[After, ...] = ()
    owner: str = ""

    @property
    def key(self) -> FileKey:
        """Name the file in plans."""
        return FileKey(self.node, str(self.path))


class HostCleanup(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider's parts leave on a machine beyond resources; never compared, cleaned when a node is taken down.

    ``chains`` are prefixes of iptables chains, ``comments`` prefixes of rules' comments; ``image`` is one that has the
    programs to clean these with.
    """

    node: str
    name: str
    links: tuple[str, ...] = ()
    chains: tuple[str, ...] = ()
    comments: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    mounts: tuple[str, ...] = ()
    image: str = ""
    owner: str = ""

    @property
    def key(self) -> HostCleanupKey:
        """Name what is left in plans."""
        return HostCleanupKey(self.node, self.name)


class NodeMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """A Node object's labels and taints; the kubelet makes the object, core sets these when it has."""

    node: str
    labels: Mapping[str, str] = EMPTY
    taints: tuple[Taint, ...] = ()
    owner: str = ""

    @property
    def key(self) -> NodeKey:
        """Name the Node in plans."""
        return NodeKey(self.node)


Resource: TypeAlias = Container | Folder | File | HostCleanup | Manifest | NodeMetadata


def stamped(resource: Resource, owner: str) -> Resource:
    """Return the same resource with the plugin that made it written on it."""
    return replace(resource, owner=owner)
