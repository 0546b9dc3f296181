"""Whether a machine can carry the services, and which ports they take."""

from __future__ import annotations

import re
from collections.abc import Iterator

import rkx
from rkx_service_kubernetes import api_server, controllers, etcd, hardening, identities, kubelet, proxy, runtime
from rkx_service_kubernetes.config import KubernetesConfig

LEAST_DOCKER = (20, 10)
LEAST_API = (1, 41)
CGROUP_V1_ENDS = 35
"""From this minor on the kubelet refuses cgroup v1 unless told otherwise."""


def ports(node: rkx.Node, config: KubernetesConfig) -> Iterator[rkx.PortClaim]:
    """List the ports that the node's containers will listen on."""
    claims = {
        kubelet.NAME: (kubelet.PORT, kubelet.HEALTH_PORT),
        proxy.KUBE_PROXY: (proxy.HEALTH_PORT, proxy.METRICS_PORT),
        runtime.NAME: (config.cri_dockerd_stream_server_port,),
    }
    if node.has("etcd"):
        claims[etcd.NAME] = (etcd.CLIENT_PORT, etcd.PEER_PORT)
    if node.has("controlplane"):
        claims[api_server.NAME] = (api_server.PORT,)
        claims[identities.CONTROLLER_MANAGER] = (controllers.CONTROLLER_MANAGER_PORT,)
        claims[identities.SCHEDULER] = (controllers.SCHEDULER_PORT,)
    else:
        claims[proxy.API_PROXY] = (api_server.PORT,)
    for container, numbers in claims.items():
        for number in numbers:
            yield rkx.PortClaim(node=node.name, port=number, container=container)


def findings(
    cluster: rkx.Cluster, node: rkx.Node, facts: rkx.NodeFacts, config: KubernetesConfig
) -> Iterator[rkx.Finding]:
    """Judge what the machine's Docker and kernel say of themselves."""
    yield from _of_version(cluster, node, facts)
    yield from _of_security(node, facts)
    yield from hardening.findings(cluster, node, facts)
    if facts.logging_driver != "json-file":
        yield rkx.Finding(
            node=node.name,
            check="logging driver",
            message=f"Docker's logging driver is {facts.logging_driver}: kubectl logs would stay empty",
            hint='set "log-driver": "json-file" in /etc/docker/daemon.json and restart Docker',
        )
    told = config.kubelet.extra_args.get("fail-cgroupv1", "").lower()
    if facts.cgroup_version == 1 and cluster.minor >= CGROUP_V1_ENDS and told != "false":
        yield rkx.Finding(
            node=node.name,
            check="cgroup version",
            message=f"the machine has cgroup v1, and the kubelet of 1.{cluster.minor} does not start there",
            hint='boot it with cgroup v2, or set services.kubelet.extra_args.fail-cgroupv1 to "false"',
        )


def _of_version(cluster: rkx.Cluster, node: rkx.Node, facts: rkx.NodeFacts) -> Iterator[rkx.Finding]:
    is_old = _numbers(facts.engine_version) < LEAST_DOCKER or _numbers(facts.api_version) < LEAST_API
    if is_old:
        yield rkx.Finding(
            node=node.name,
            check="Docker version",
            message=f"Docker is {facts.engine_version} with API {facts.api_version}; 20.10 with API 1.41 is the oldest",
            hint="upgrade Docker on the machine",
            warning=cluster.ignore_docker_version,
        )


def _of_security(node: rkx.Node, facts: rkx.NodeFacts) -> Iterator[rkx.Finding]:
    names = {option.removeprefix("name=").partition(",")[0] for option in facts.security_options}
    for name, what in (("userns", "remaps users (userns-remap)"), ("rootless", "runs rootless")):
        if name in names:
            yield rkx.Finding(
                node=node.name,
                check="Docker security options",
                message=f"Docker {what}: the kubelet's privileged container cannot work there",
                hint="use a Docker Engine that runs as root, without user namespaces",
            )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])
