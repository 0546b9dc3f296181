"""The cluster as cluster.yml wants it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

import msgspec

from rkx.model.node import Node, Role
from rkx.model.risk import Risk
from rkx.secret import Secret

Stage = Literal["transport", "auth", "network", "service", "addon", "extension"]
ImageLayout = Literal["public", "rkx"]
Profile = Literal["cis"]
EMPTY: Mapping[str, Any] = MappingProxyType({})


class PluginRef(msgspec.Struct, frozen=True, kw_only=True):
    """A provider that cluster.yml chose, with its options: plain values, or those of the file with their places.

    ``where`` is the path of its name in cluster.yml, ``options_where`` maps an option's name to its path there.
    """

    stage: Stage
    name: str
    options: Mapping[str, Any] = EMPTY
    where: str = ""
    options_where: Mapping[str, str] = EMPTY


class PrivateRegistry(msgspec.Struct, frozen=True, kw_only=True):
    """A private registry; the default one is put before the names of default images."""

    url: str
    user: str = ""
    password: Secret[str] | None = None
    is_default: bool = False


class DrainOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How pods leave a node; ``grace_period_s`` -1 takes each pod's own."""

    force: bool = False
    delete_local_data: bool = False
    ignore_daemonsets: bool = True
    grace_period_s: int = -1
    timeout_s: int = 120


class Percentage(msgspec.Struct, frozen=True):
    """A share of the nodes, in percent."""

    value: int


class UpgradeStrategy(msgspec.Struct, frozen=True, kw_only=True):
    """How many nodes may be away at once, as a count or a percentage, and whether they are drained first."""

    max_unavailable_worker: int | Percentage = Percentage(10)
    max_unavailable_controlplane: int | Percentage = 1
    drain: bool = False


class Cluster(msgspec.Struct, frozen=True, kw_only=True):
    """What cluster.yml says, decoded. ``id`` is made with the cluster, kept in the state, and empty before.

    ``images`` holds the names that the user wrote under system_images; ``file`` is where relative paths start;
    ``risks`` are those that the plugins found and the file accepts; ``profile`` names the rules that the whole cluster
    is held to beyond the defaults. Without ``has_secrets`` secrets that the file points at are ``Unread``, and nothing
    may open a file that holds one.
    """

    name: str
    nodes: tuple[Node, ...]
    kubernetes_version: str
    pod_cidr: str = "10.42.0.0/16"
    service_cidr: str = "10.43.0.0/16"
    dns_domain: str = "cluster.local"
    dns_address: str = "10.43.0.10"
    id: str = ""
    file: str = ""
    image_layout: ImageLayout = "public"
    images: Mapping[str, str] = EMPTY
    registries: tuple[PrivateRegistry, ...] = ()
    sans: tuple[str, ...] = ()
    upgrade: UpgradeStrategy = UpgradeStrategy()
    drain: DrainOptions = DrainOptions()
    addon_timeout_s: int = 300
    ignore_docker_version: bool = False
    profile: Profile | None = None
    auth: tuple[PluginRef, ...] = ()
    network: PluginRef = PluginRef(stage="network", name="none")
    services: tuple[PluginRef, ...] = ()
    addons: tuple[PluginRef, ...] = ()
    extensions: tuple[PluginRef, ...] = ()
    risks: tuple[Risk, ...] = ()
    has_secrets: bool = True

    def with_role(self, role: Role) -> tuple[Node, ...]:
        """List the nodes that carry ``role``, in the file's order."""
        return tuple(node for node in self.nodes if role in node.roles)

    def node(self, name: str) -> Node:
        """Find a node by its name; KeyError if there is none."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise KeyError(name)

    def image(self, name: str, default: str) -> str:
        """Return the image called ``name`` under system_images, or ``default`` behind the default registry."""
        if written := self.images.get(name):
            return written
        prefix = next((registry.url for registry in self.registries if registry.is_default), "")
        return f"{prefix}/{default}" if prefix else default

    @property
    def minor(self) -> int:
        """Return the minor of the Kubernetes version: 34 for v1.34.4."""
        return int(self.kubernetes_version.split(".")[1])
