"""flannel: an overlay (vxlan) or plain routes (host-gw) between the nodes' pod ranges."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

import rkx
from rkx_network_flannel.checks import check_interface, check_mtu, find_mistakes, find_open
from rkx_network_flannel.config import FlannelConfig
from rkx_network_flannel.hosts import host_resources
from rkx_network_flannel.objects import objects

__all__ = ["FlannelConfig", "FlannelNetwork"]


class FlannelNetwork(rkx.NetworkPlugin[FlannelConfig]):
    """The network that RKE called flannel, with the CNI configuration as a file of ours on each node."""

    name = "flannel"
    images = frozenset(["flannel"])
    api = 0
    Config = FlannelConfig

    @rkx.hookimpl
    def rkx_validate(self, cluster: rkx.Cluster) -> Sequence[rkx.Problem]:
        """Refuse figures that flanneld or the kernel would refuse later, and say what flannel does not do."""
        return [*find_mistakes(self.config, cluster.network.options_where), *find_open(cluster)]

    @rkx.hookimpl
    def rkx_checks(self, cluster: rkx.Cluster, facts: rkx.Facts) -> Sequence[rkx.Check]:
        """See that each node has the interface that is asked for, and room for the MTU on it."""
        hosts = [(node.name, facts[node.name].host) for node in cluster.nodes if node.name in facts]
        known = [(name, host) for name, host in hosts if host is not None]
        return [
            finding
            for name, host in known
            for finding in (check_interface(self.config, name, host), check_mtu(self.config, name, host))
            if finding is not None
        ]

    @rkx.hookimpl
    def rkx_network_settings(self, cluster: rkx.Cluster, facts: rkx.Facts) -> rkx.NetworkSettings:
        """Ask for node ranges, kube-proxy and bridged packets in iptables."""
        return rkx.NetworkSettings(
            cni="flannel",
            pod_cidr=cluster.pod_cidr,
            kube_proxy_mode="iptables",
            allocate_node_cidrs=True,
            modules=("br_netfilter",),
            sysctls=MappingProxyType({"net.bridge.bridge-nf-call-iptables": "1", "net.ipv4.ip_forward": "1"}),
        )

    @rkx.hookimpl
    def rkx_network_resources(
        self, cluster: rkx.Cluster, facts: rkx.Facts, network: rkx.NetworkSettings
    ) -> Sequence[rkx.Resource]:
        """Describe the DaemonSet with its objects, and each node's CNI configuration."""
        manifest = rkx.Manifest(
            name="flannel",
            text=objects(self.config, cluster, network),
            after=(rkx.API_READY,),
            health_checks=(rkx.HealthCheck(kind="DaemonSet", namespace="kube-flannel", name="kube-flannel-ds"),),
            namespace="kube-flannel",
        )
        hosts = [
            resource for node in cluster.nodes for resource in host_resources(self.config, node.name, network.pod_cidr)
        ]
        return [manifest, *hosts]
