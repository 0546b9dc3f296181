"""Kubernetes itself: etcd, the control plane, and what each node runs, as containers on Docker."""

from __future__ import annotations

from collections.abc import Sequence

import rkx
from rkx_service_kubernetes import (
    api_server,
    catalogue,
    checks,
    controllers,
    etcd,
    etcd_members,
    etcd_steps,
    identities,
    kubelet,
    namespaces,
    proxy,
    rbac,
    records,
    risks,
    runtime,
    server_updates,
    service_dirs,
    validate,
)
from rkx_service_kubernetes.config import KubernetesConfig
from rkx_service_kubernetes.containers import folder
from rkx_service_kubernetes.site import NodeContext


class KubernetesService(rkx.ServicePlugin[KubernetesConfig]):
    """Describe the containers, files and credentials of a Kubernetes cluster."""

    name = "kubernetes"
    images = frozenset(["etcd", "kubernetes", "kubernetes_services_sidecar", "nginx_proxy", "pod_infra_container"])
    risks = frozenset(risks.table())
    Config = KubernetesConfig

    @rkx.hookimpl
    def rkx_validate(self, cluster: rkx.Cluster) -> Sequence[rkx.Problem]:
        """Find mistakes under ``services`` and versions without images."""
        return list(validate.problems(cluster, self.config))

    @rkx.hookimpl
    def rkx_checks(self, cluster: rkx.Cluster, facts: rkx.Facts) -> Sequence[rkx.Finding | rkx.PortClaim]:
        """Judge Docker, cgroups and ports of each node that answered."""
        seen = [(node, facts[node.name]) for node in cluster.nodes if node.name in facts]
        claims = [claim for node, _ in seen for claim in checks.ports(node, self.config)]
        return [*claims, *(each for node, own in seen for each in checks.findings(cluster, node, own, self.config))]

    @rkx.hookimpl
    def rkx_identities(self, cluster: rkx.Cluster) -> Sequence[rkx.identity.Identity]:
        """Name the credentials of every service."""
        encrypted = self.config.kube_api.secrets_encryption_config.enabled
        return list(identities.identities(cluster, encrypted=encrypted))

    @rkx.hookimpl
    def rkx_service_resources(
        self,
        cluster: rkx.Cluster,
        node: rkx.Node,
        facts: rkx.Facts,
        auth: rkx.AuthSettings,
        network: rkx.NetworkSettings,
    ) -> Sequence[rkx.Resource]:
        """Describe what the roles of one node ask for."""
        site = NodeContext(
            cluster=cluster,
            node=node,
            facts=facts[node.name],
            auth=auth,
            network=network,
            config=self.config,
            images=catalogue.images(cluster, self.config),
        )
        return _resources(site)

    @rkx.hookimpl
    def rkx_queries(
        self, cluster: rkx.Cluster, applied: Sequence[rkx.ContainerKey], changes: Sequence[rkx.action.ContainerAction]
    ) -> Sequence[rkx.step.NodeRequest]:
        """Ask the members of etcd how they are."""
        return etcd_members.queries(cluster, applied, changes)

    @rkx.hookimpl
    def rkx_updates(
        self,
        cluster: rkx.Cluster,
        applied: Sequence[rkx.ContainerKey],
        changes: Sequence[rkx.action.ContainerAction],
        responses: rkx.step.Responses,
    ) -> Sequence[rkx.NodeUpdate | rkx.RolloutGroup]:
        """Change members of etcd one at a time, and API servers too."""
        return [*etcd_steps.updates(cluster, applied, changes, responses), *server_updates.updates(changes)]

    @rkx.hookimpl
    def rkx_step(self, step: rkx.step.Step, responses: rkx.step.Responses) -> rkx.step.Verdict:
        """Decide a step around a member of etcd."""
        return etcd_steps.decide(step, responses)


def _resources(site: NodeContext) -> list[rkx.Resource]:
    found: list[rkx.Resource] = [folder(site.name, str(service_dirs.ROOT))]
    if site.node.has("etcd"):
        found += etcd.resources(site)
    if site.node.has("controlplane"):
        found += [*api_server.resources(site), *controllers.resources(site), *rbac.manifests(site)]
    found += [*runtime.resources(site), *kubelet.resources(site), *proxy.resources(site)]
    return [*found, *namespaces.resources(site), *records.resources(site.name, found)]
