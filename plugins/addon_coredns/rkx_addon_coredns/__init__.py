"""CoreDNS: the names of Services and pods."""

from __future__ import annotations

from collections.abc import Sequence

import rkx
from rkx_addon_coredns.config import CoreDnsConfig
from rkx_addon_coredns.corefile import find_mistakes
from rkx_addon_coredns.objects import objects

__all__ = ["CoreDns", "CoreDnsConfig"]


class CoreDns(rkx.AddonPlugin[CoreDnsConfig]):
    """The cluster's DNS, at the address that the kubelets give to pods."""

    name = "coredns"
    images = frozenset(["coredns"])
    api = 0
    Config = CoreDnsConfig

    @rkx.hookimpl
    def rkx_validate(self, cluster: rkx.Cluster) -> Sequence[rkx.Problem]:
        """Refuse names and addresses that would break the Corefile."""
        chosen = next((ref for ref in cluster.addons if ref.name == self.name), None)
        return find_mistakes(self.config, chosen.options_where if chosen else {})

    @rkx.hookimpl
    def rkx_addon_resources(self, cluster: rkx.Cluster, network: rkx.NetworkSettings) -> Sequence[rkx.Resource]:
        """Describe the Deployment with its objects."""
        manifest = rkx.Manifest(
            name="coredns",
            text=objects(self.config, cluster),
            after=(rkx.API_READY,),
            health_checks=(rkx.HealthCheck(kind="Deployment", namespace="kube-system", name="coredns"),),
            namespace="kube-system",
        )
        return [manifest]
