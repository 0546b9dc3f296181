"""The network of a cluster of one machine: CNI's own bridge and host-local, without a daemon and without an image."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any

import msgspec

import rkx

BRIDGE = "cni0"
NETWORK = "bridge"
CNI_FOLDER = PurePosixPath("/etc/cni/net.d")
MTUS_BYTES = range(1280, 9001)


class BridgeConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What the network's options may hold in cluster.yml: the MTU of pods, 0 takes that of the kernel."""

    mtu: int = 0


class BridgeNetwork(rkx.NetworkPlugin[BridgeConfig]):
    """Pods on one Linux bridge, with addresses from the cluster's pod range."""

    name = "bridge"
    api = 0
    Config = BridgeConfig

    @rkx.hookimpl
    def rkx_validate(self, cluster: rkx.Cluster) -> Sequence[rkx.Problem]:
        """Refuse a second machine, which a bridge does not reach, and an MTU that the kernel would refuse."""
        problems = []
        if others := [node.name for node in cluster.nodes[1:]]:
            message = f"bridge reaches pods of one machine, {cluster.nodes[0].name}, and not of {', '.join(others)}"
            hint = "keep one node, or name a network that joins machines, such as flannel"
            problems.append(rkx.Problem(where="network.plugin", message=message, hint=hint))
        if self.config.mtu and self.config.mtu not in MTUS_BYTES:
            where = cluster.network.options_where.get("mtu", "network.options.mtu")
            message = f"mtu is {self.config.mtu} bytes, neither 0 nor in 1280..9000"
            problems.append(rkx.Problem(where=where, message=message))
        return problems

    @rkx.hookimpl
    def rkx_network_settings(self, cluster: rkx.Cluster, facts: rkx.Facts) -> rkx.NetworkSettings:
        """Ask for kube-proxy and bridged packets in iptables; the one node has the whole range."""
        return rkx.NetworkSettings(
            cni="bridge",
            pod_cidr=cluster.pod_cidr,
            allocate_node_cidrs=False,
            modules=("br_netfilter",),
            sysctls=MappingProxyType({"net.bridge.bridge-nf-call-iptables": "1", "net.ipv4.ip_forward": "1"}),
        )

    @rkx.hookimpl
    def rkx_network_resources(
        self, cluster: rkx.Cluster, facts: rkx.Facts, network: rkx.NetworkSettings
    ) -> Sequence[rkx.Resource]:
        """Describe the CNI configuration of each node, and what pods leave there."""
        return [resource for node in cluster.nodes for resource in self._on(node.name, network.pod_cidr)]

    def _on(self, node: str, pod_cidr: str) -> list[rkx.Resource]:
        paths = (f"/var/lib/cni/networks/{NETWORK}", "/var/lib/cni/results")
        return [
            rkx.Folder(node=node, path=CNI_FOLDER, mode=0o700),
            rkx.File(node=node, path=CNI_FOLDER / "10-bridge.conflist", content=self._conflist(pod_cidr)),
            rkx.HostCleanup(node=node, name=NETWORK, links=(BRIDGE,), chains=("CNI-",), paths=paths),
        ]

    def _conflist(self, pod_cidr: str) -> bytes:
        ipam = {"type": "host-local", "ranges": [[{"subnet": pod_cidr}]]}
        bridge: dict[str, Any] = {
            "type": "bridge",
            "bridge": BRIDGE,
            "isDefaultGateway": True,
            "ipMasq": True,
            "hairpinMode": True,
            "ipam": ipam,
        }
        if self.config.mtu:
            bridge["mtu"] = self.config.mtu
        portmap = {"type": "portmap", "capabilities": {"portMappings": True}}
        firewall = {"type": "firewall", "backend": "iptables"}  # Docker makes DROP the policy of FORWARD
        written = {"cniVersion": "1.0.0", "name": NETWORK, "plugins": [bridge, portmap, firewall]}
        return (json.dumps(written, indent=2) + "\n").encode()
