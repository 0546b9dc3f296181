"""One node of one cluster, with all that its containers depend on."""

from __future__ import annotations

import ipaddress

import msgspec

import rkx
from rkx_service_kubernetes.catalogue import Images
from rkx_service_kubernetes.config import KubernetesConfig


class NodeContext(msgspec.Struct, frozen=True, kw_only=True):
    """What the rendering of one node's resources depends on."""

    cluster: rkx.Cluster
    node: rkx.Node
    facts: rkx.NodeFacts
    auth: rkx.AuthSettings
    network: rkx.NetworkSettings
    config: KubernetesConfig
    images: Images

    @property
    def name(self) -> str:
        """Return the node's name."""
        return self.node.name

    @property
    def has_own_address(self) -> bool:
        """Return whether an interface has the internal address; a translated one is not an address of the node.

        One that cluster.yml names apart from the address is meant so; on a machine not yet seen it is presumed.
        """
        address = self.node.internal_address
        if not is_ip(address):
            return False
        if address != self.node.address or self.facts.host is None:
            return True
        found = (own for interface in self.facts.host.interfaces for own in interface.addresses)
        return any(ipaddress.ip_interface(own).ip == ipaddress.ip_address(address) for own in found)


def is_ip(address: str) -> bool:
    """Tell an IP address from a host name."""
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return False
    return True


def in_url(address: str) -> str:
    """Write an address as URLs want it: IPv6 in brackets."""
    return f"[{address}]" if ":" in address else address


def first_ips(ranges: str) -> tuple[str, ...]:
    """Return the first usable address of each range; a pair is written with a comma."""
    return tuple(str(ipaddress.ip_network(part.strip(), strict=False)[1]) for part in ranges.split(","))
