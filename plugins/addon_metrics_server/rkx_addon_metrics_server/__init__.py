"""metrics-server: what ``kubectl top`` and autoscalers read."""

from __future__ import annotations

from collections.abc import Sequence

import rkx
from rkx_addon_metrics_server.config import MetricsServerConfig
from rkx_addon_metrics_server.objects import UNVERIFIED, objects

__all__ = ["MetricsServer", "MetricsServerConfig"]


class MetricsServer(rkx.AddonPlugin[MetricsServerConfig]):
    """Usage of nodes and pods, asked of kubelets whose certificates are verified."""

    name = "metrics-server"
    images = frozenset(["metrics_server"])
    api = 0
    Config = MetricsServerConfig

    @rkx.hookimpl
    def rkx_validate(self, cluster: rkx.Cluster) -> Sequence[rkx.Problem]:
        """Refuse a count below one, and say of flags that switch verification off that they are left out."""
        chosen = next((ref for ref in cluster.addons if ref.name == self.name), None)
        places = chosen.options_where if chosen else {}
        flags = places.get("options", "monitoring.options")
        problems = [
            rkx.Problem(
                where=f"{flags}.{flag}",
                message="no effect: kubelets have certificates of the cluster's authority, and they are verified",
                hint="leave it out",
                warning=True,
            )
            for flag in self.config.options
            if flag in UNVERIFIED
        ]
        if self.config.replicas < 1:
            where = places.get("replicas", "monitoring.replicas")
            message = f"replicas is {self.config.replicas}, less than 1"
            hint = "set monitoring.provider to none to do without"
            problems.append(rkx.Problem(where=where, message=message, hint=hint))
        return problems

    @rkx.hookimpl
    def rkx_addon_resources(self, cluster: rkx.Cluster, network: rkx.NetworkSettings) -> Sequence[rkx.Resource]:
        """Describe the Deployment, its objects, and the API that it serves."""
        manifest = rkx.Manifest(
            name="metrics-server",
            text=objects(self.config, cluster),
            after=(rkx.API_READY,),
            health_checks=(
                rkx.HealthCheck(kind="Deployment", namespace="kube-system", name="metrics-server"),
                rkx.HealthCheck(kind="APIService", namespace="", name="v1beta1.metrics.k8s.io"),
            ),
            namespace="kube-system",
        )
        return [manifest]
