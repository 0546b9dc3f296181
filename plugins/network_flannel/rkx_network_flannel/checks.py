"""What is wrong with flannel's options, alone or on a node."""

from __future__ import annotations

from collections.abc import Mapping

import rkx
from rkx_network_flannel.config import FlannelConfig

VXLAN_OVERHEAD_BYTES = 50  # outer Ethernet, IPv4, UDP and VXLAN headers (RFC 7348, section 5)
MTUS_BYTES = range(1280, 9001)
RANGES = {"backend_port": range(1, 65536), "backend_vni": range(1, 1 << 24)}


def find_mistakes(config: FlannelConfig, places: Mapping[str, str]) -> list[rkx.Problem]:
    """List the options out of their range; ``places`` maps an option to its path in cluster.yml."""
    values = {"backend_port": config.backend_port, "backend_vni": config.backend_vni}
    problems = [
        _problem(places, option, f"{option} is {value}, outside {allowed.start}..{allowed.stop - 1}")
        for option, allowed in RANGES.items()
        if (value := values[option]) not in allowed
    ]
    if config.mtu and config.mtu not in MTUS_BYTES:
        problems.append(_problem(places, "mtu", f"mtu is {config.mtu} bytes, neither 0 nor in 1280..9000"))
    if config.tolerations:
        message = "no effect: flannel runs on every node, whatever its taints"
        problems.append(_problem(places, "tolerations", message, warning=True))
    return problems


def find_open(cluster: rkx.Cluster) -> list[rkx.Problem]:
    """Say what stays open with a profile that wants network policies."""
    if cluster.profile is None:
        return []
    message = f"flannel enforces no network policies: profile {cluster.profile} makes none, and its checks of them fail"
    hint = "take a network that does, where pods must be kept apart"
    return [rkx.Problem(where=cluster.network.where or "network.plugin", message=message, hint=hint, warning=True)]


def check_interface(config: FlannelConfig, node: str, host: rkx.HostFacts) -> rkx.Finding | None:
    """Find a node without the interface that ``iface`` names."""
    names = [interface.name for interface in host.interfaces]
    if not config.iface or config.iface in names:
        return None
    return rkx.Finding(
        node=node,
        check="flannel-interface",
        message=f"no interface {config.iface!r}, as flannel's iface asks for",
        hint=f"the node has {', '.join(names) or 'none'}; leave iface out to take the default route's",
    )


def check_mtu(config: FlannelConfig, node: str, host: rkx.HostFacts) -> rkx.Finding | None:
    """Find a node whose interface cannot carry packets of ``mtu`` bytes."""
    wanted = config.iface or host.default_interface
    carrier = next((interface for interface in host.interfaces if interface.name == wanted), None)
    if carrier is None or not config.mtu:
        return None
    room = carrier.mtu_bytes - (VXLAN_OVERHEAD_BYTES if config.backend_type == "vxlan" else 0)
    if config.mtu <= room:
        return None
    return rkx.Finding(
        node=node,
        check="flannel-mtu",
        message=f"mtu {config.mtu} is more than the {room} bytes that pods have on {carrier.name}",
        hint=f"set mtu to {room} at most, or leave it out",
    )


def _problem(places: Mapping[str, str], option: str, message: str, *, warning: bool = False) -> rkx.Problem:
    return rkx.Problem(where=places.get(option, f"network.options.{option}"), message=message, warning=warning)
