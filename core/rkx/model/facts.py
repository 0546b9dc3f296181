"""What a node said about itself."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, TypeAlias

import msgspec


class Interface(msgspec.Struct, frozen=True, kw_only=True):
    """A network interface; ``addresses`` in CIDR form."""

    name: str
    mtu_bytes: int
    addresses: tuple[str, ...] = ()
    up: bool = True


class Listener(msgspec.Struct, frozen=True, kw_only=True):
    """A port that a program listens on: ``proto`` is tcp or udp."""

    proto: str
    port: int
    address: str


class HostFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What rkx-node said in its last batch; absent on a node never prepared.

    ``sysctls`` are the kernel's settings that a kubelet may demand, by name; what no plugin asks for is missing.
    """

    boot_id: str = ""
    machine_id: str = ""
    interfaces: tuple[Interface, ...] = ()
    default_interface: str = ""
    resolv_conf: str = ""
    listening: tuple[Listener, ...] = ()
    swap: bool = False
    sysctls: Mapping[str, str] = MappingProxyType({})


class NodeFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the Engine's /info says, and ``host`` if the node was prepared.

    ``clock_offset_s`` is the node's clock less the operator's, ``clock_error_s`` half the round trip.
    """

    engine_id: str
    engine_version: str
    api_version: str
    root_dir: str = "/var/lib/docker"
    logging_driver: str = "json-file"
    cgroup_driver: Literal["cgroupfs", "systemd", "none"] = "cgroupfs"
    cgroup_version: int = 1
    security_options: tuple[str, ...] = ()
    kernel: str = ""
    architecture: str = "x86_64"
    os_name: str = ""
    hostname: str = ""
    cpus: int = 1
    memory_bytes: int = 0
    clock_offset_s: float = 0.0
    clock_error_s: float = 0.0
    host: HostFacts | None = None


Facts: TypeAlias = Mapping[str, NodeFacts]
"""Node name -> its facts; a node that did not answer is missing."""
