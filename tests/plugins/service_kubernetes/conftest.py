"""A cluster of three machines, and what the service makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from msgspec.structs import replace

import rkx
from rkx_service_kubernetes import KubernetesService
from rkx_service_kubernetes.config import KubernetesConfig

R = TypeVar("R")


def machine(name: str, number: int, *roles: str) -> rkx.Node:
    address = f"192.0.2.{number}"
    return rkx.Node(
        name=name,
        address=address,
        internal_address=address,
        roles=frozenset(roles),  # type: ignore[arg-type] # Role
        transport="ssh",
    )


CLUSTER = rkx.Cluster(
    name="sample",
    id="0123456789abcdef",
    nodes=(machine("one", 1, "controlplane", "etcd"), machine("two", 2, "worker"), machine("three", 3, "worker")),
    kubernetes_version="v1.34.4",
    image_layout="rkx",
)
HOST = rkx.HostFacts(resolv_conf="search example.org\nnameserver 198.51.100.53\nnameserver 127.0.0.53\n")
NETWORK = rkx.NetworkSettings(
    cni="flannel",
    pod_cidr=CLUSTER.pod_cidr,
    modules=("br_netfilter",),
    sysctls={"net.bridge.bridge-nf-call-iptables": "1"},
)
PLAIN = KubernetesConfig()
SIGNED = rkx.AuthSettings(node_signer=rkx.identity.NODE_CLIENT_CA)
"""What authentication says where the next certificates of nodes are signed in the cluster."""


def facts(cluster: rkx.Cluster, host: rkx.HostFacts | None = HOST) -> dict[str, rkx.NodeFacts]:
    sample = rkx.NodeFacts(engine_id="", engine_version="20.10.24+dfsg1", api_version="1.41", host=host)
    return {node.name: replace(sample, engine_id=node.name) for node in cluster.nodes}


def resources(
    node: str,
    config: KubernetesConfig = PLAIN,
    cluster: rkx.Cluster = CLUSTER,
    network: rkx.NetworkSettings = NETWORK,
    host: rkx.HostFacts | None = HOST,
    auth: rkx.AuthSettings | None = None,
) -> Sequence[rkx.Resource]:
    plugin = KubernetesService(config)
    seen = facts(cluster, host)
    return plugin.rkx_service_resources(cluster, cluster.node(node), seen, auth or SIGNED, network)


def only(kind: type[R], found: Sequence[object]) -> list[R]:
    return [each for each in found if isinstance(each, kind)]


def containers(found: Sequence[rkx.Resource]) -> dict[str, rkx.Container]:
    return {each.name: each for each in only(rkx.Container, found)}


def content(found: Sequence[rkx.Resource], path: str) -> str:
    [file] = [each for each in only(rkx.File, found) if str(each.path) == path]
    assert isinstance(file.content, bytes)
    return file.content.decode()
