"""Which credentials the services need: one of its own for each that may act, and no key on a node that has no use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypeAlias

import rkx
from rkx_service_kubernetes.site import first_ips

SERVICE_ACCOUNT = "service-account"
ENCRYPTION = "secrets-encryption"
FRONT_PROXY = "front-proxy-client"
KUBELET_CLIENT = "kube-apiserver-kubelet-client"
CONTROLLER_MANAGER = "kube-controller-manager"
SCHEDULER = "kube-scheduler"
DATASTORE_CLIENT = "etcd-rkx"
"""Core's own client of etcd: for probes and for changes of members."""
ADMINS = "rkx:cluster-admins"
INSTALLER = "rkx:installer"
"""The name under which core acts, so that the audit log tells it from operators."""

Usages: TypeAlias = frozenset[Literal["server", "client"]]
SERVER: Usages = frozenset({"server"})
CLIENT: Usages = frozenset({"client"})
LOOPBACK = ("127.0.0.1", "localhost")
SECRETBOX = "  - secretbox:\n      keys:\n      - name: key1\n        secret: ${secret}\n"
PLAIN = "  - identity: {}\n"


def on(node: rkx.Node, what: str) -> str:
    """Name the credentials that one node alone holds."""
    return f"{what}@{node.name}"


def user(node: rkx.Node) -> str:
    """Name the node as the API server knows it."""
    return f"system:node:{node.name}"


def identities(cluster: rkx.Cluster, *, encrypted: bool) -> Iterator[rkx.identity.Identity]:
    """List the credentials of the whole cluster, then each node's own."""
    yield from _of_cluster(cluster, encrypted=encrypted)
    for node in cluster.nodes:
        yield from _of_node(node)
    for node in cluster.with_role("etcd"):
        yield from _of_etcd(node)
    for node in cluster.with_role("controlplane"):
        yield from _of_control_plane(cluster, node)


def _of_cluster(cluster: rkx.Cluster, *, encrypted: bool) -> Iterator[rkx.identity.Identity]:
    yield rkx.identity.Identity(name=SERVICE_ACCOUNT, kind="keypair")
    yield rkx.identity.Identity(name=ENCRYPTION, kind="secret", form=encryption(encrypted=encrypted))
    yield _client(KUBELET_CLIENT)
    yield _client(FRONT_PROXY, authority=rkx.identity.FRONT_PROXY_CA)
    yield _client(CONTROLLER_MANAGER, common_name="system:kube-controller-manager")
    yield _client(SCHEDULER, common_name="system:kube-scheduler")
    yield _client(DATASTORE_CLIENT, authority=rkx.identity.DATASTORE_CA)
    yield _client(rkx.identity.SUPER_ADMIN, organizations=("system:masters",), life="limited")
    yield _client(rkx.identity.INSTALLER, common_name=INSTALLER, life="limited")
    yield _client(rkx.identity.ADMIN, organizations=(ADMINS,), life="limited")


def _of_node(node: rkx.Node) -> Iterator[rkx.identity.Identity]:
    name, nodes = user(node), ("system:nodes",)
    sans = _own(node)
    yield _client(on(node, "kubelet"), node=node.name, common_name=name, organizations=nodes, life="self-renewed")
    yield _server(on(node, "kubelet-serving"), node.name, sans, common_name=name, organizations=nodes)
    yield _client(on(node, "kube-proxy"), node=node.name, common_name="system:kube-proxy")


def _of_etcd(node: rkx.Node) -> Iterator[rkx.identity.Identity]:
    for what in ("etcd", "etcd-peer"):
        yield rkx.identity.Identity(
            name=on(node, what),
            node=node.name,
            authority=rkx.identity.DATASTORE_CA,
            common_name=node.name,
            sans=_unique(*_own(node), *LOOPBACK),
            usages=SERVER | CLIENT,
            life="lasting",
        )


def _of_control_plane(cluster: rkx.Cluster, node: rkx.Node) -> Iterator[rkx.identity.Identity]:
    service = tuple(f"kubernetes{tail}" for tail in ("", ".default", ".default.svc"))
    full = f"kubernetes.default.svc.{cluster.dns_domain}"
    sans = _unique(*_own(node), *cluster.sans, *LOOPBACK, *first_ips(cluster.service_cidr), *service, full)
    yield _server(on(node, "kube-apiserver"), node.name, sans, common_name="kube-apiserver")
    yield _client(
        on(node, "kube-apiserver-etcd-client"),
        node=node.name,
        authority=rkx.identity.DATASTORE_CA,
        common_name="kube-apiserver-etcd-client",
    )
    for what in (CONTROLLER_MANAGER, SCHEDULER):
        yield _server(on(node, f"{what}-serving"), node.name, LOOPBACK, common_name=what)


def encryption(*, encrypted: bool) -> str:
    """Write the EncryptionConfiguration; what was written the other way stays readable."""
    providers = SECRETBOX + PLAIN if encrypted else PLAIN + SECRETBOX
    return (
        "apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\n"
        f"resources:\n- resources: [secrets]\n  providers:\n{providers}"
    )


def _client(
    name: str,
    *,
    node: str = "",
    authority: str = rkx.identity.KUBERNETES_CA,
    common_name: str = "",
    organizations: tuple[str, ...] = (),
    life: Literal["limited", "lasting", "self-renewed"] = "lasting",
) -> rkx.identity.Identity:
    return rkx.identity.Identity(
        name=name,
        node=node,
        authority=authority,
        common_name=common_name or name,
        organizations=organizations,
        usages=CLIENT,
        life=life,
    )


def _server(
    name: str, node: str, sans: tuple[str, ...], *, common_name: str, organizations: tuple[str, ...] = ()
) -> rkx.identity.Identity:
    return rkx.identity.Identity(
        name=name,
        node=node,
        authority=rkx.identity.KUBERNETES_CA,
        common_name=common_name,
        organizations=organizations,
        sans=sans,
        usages=SERVER,
        life="lasting",
    )


def _own(node: rkx.Node) -> tuple[str, ...]:
    return _unique(node.name, node.address, node.internal_address)


def _unique(*names: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
