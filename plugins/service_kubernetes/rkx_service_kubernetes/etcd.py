"""etcd: one member on each node that carries its role."""

from __future__ import annotations

from pathlib import PurePosixPath

import rkx
from rkx_service_kubernetes.arguments import merged
from rkx_service_kubernetes.containers import env, extra_mounts, folder
from rkx_service_kubernetes.identities import DATASTORE_CLIENT, on
from rkx_service_kubernetes.service_dirs import CIPHER_SUITES, ServiceDir
from rkx_service_kubernetes.site import NodeContext, in_url

NAME = "etcd"
CLIENT_PORT = 2379
PEER_PORT = 2380
DATA = "/var/lib/etcd"
ROOT = PurePosixPath("/etc/rkx")
"""Beside the folder of the others, where auditors want nothing that is not root's."""
USER = 52034
"""The numeric user and group of etcd where cluster.yml names none; no distribution hands it out."""


def key(node: str) -> rkx.ContainerKey:
    """Name a node's etcd in plans."""
    return rkx.ContainerKey(node, NAME)


def owner(site: NodeContext) -> tuple[int, int]:
    """Return user and group that etcd runs as; RKE's pair counts when both are above 0."""
    wanted = site.config.etcd
    return (wanted.uid, wanted.gid) if wanted.uid > 0 and wanted.gid > 0 else (USER, USER)


def peer_url(node: rkx.Node) -> str:
    """Return the address that other members reach this one by: what a member is known by."""
    return f"https://{in_url(node.internal_address)}:{PEER_PORT}"


def client_url(node: rkx.Node) -> str:
    """Return the address that API servers reach this member by."""
    return f"https://{in_url(node.internal_address)}:{CLIENT_PORT}"


def resources(site: NodeContext) -> list[rkx.Resource]:
    """Describe etcd with its files and its data folder."""
    uid, gid = owner(site)
    place = ServiceDir(site.name, NAME, root=ROOT, uid=uid, gid=gid)
    data = rkx.Folder(node=site.name, path=PurePosixPath(DATA), mode=0o700, uid=uid, gid=gid)
    container = rkx.Container(
        node=site.name,
        name=NAME,
        image=site.images.etcd,
        argv=("etcd", *merged(_arguments(site, place), site.config.etcd)),
        bootstrap_args=_bootstrap_args(site),
        env=env(site.config.etcd),
        mounts=(place.mount, rkx.Mount(source=DATA, target=DATA), *extra_mounts(site.config.etcd)),
        read_only=True,
        user=f"{uid}:{gid}",
        stop_timeout_s=30,
        reads=(place.read,),
        probe=rkx.Probe(
            address=f"tcp:127.0.0.1:{CLIENT_PORT}",
            path="/health",
            authority=rkx.identity.DATASTORE_CA,
            identity=DATASTORE_CLIENT,
        ),
    )
    return [folder(site.name, str(ROOT)), *place.resources, data, container]


def _arguments(site: NodeContext, place: ServiceDir) -> dict[str, str]:
    certificate, key_file = place.pair("server", on(site.node, "etcd"))
    peer_certificate, peer_key = place.pair("peer", on(site.node, "etcd-peer"))
    authority = place.authority(rkx.identity.DATASTORE_CA)
    return {
        "name": site.name,
        "data-dir": DATA,
        "listen-client-urls": _listen(site, CLIENT_PORT),
        "advertise-client-urls": client_url(site.node),
        "listen-peer-urls": _listen(site, PEER_PORT),
        "cert-file": certificate,
        "key-file": key_file,
        "trusted-ca-file": authority,
        "client-cert-auth": "true",
        "peer-cert-file": peer_certificate,
        "peer-key-file": peer_key,
        "peer-trusted-ca-file": authority,
        "peer-client-cert-auth": "true",
        "cipher-suites": ",".join(_etcd_suite(name) for name in CIPHER_SUITES),
        "heartbeat-interval": "100",
        "election-timeout": "1000",
    }


def _bootstrap_args(site: NodeContext) -> tuple[str, ...]:
    members = site.cluster.with_role("etcd")
    return (
        f"--initial-advertise-peer-urls={peer_url(site.node)}",
        f"--initial-cluster={','.join(f'{member.name}={peer_url(member)}' for member in members)}",
        f"--initial-cluster-token={site.cluster.id}",
        "--initial-cluster-state=new",
    )


def _listen(site: NodeContext, port: int) -> str:
    """Listen on the node's internal address, and on the loopback one, for probes.

    A host name, or a translated address that is on no interface, cannot be listened on: then on all.
    """
    if not site.has_own_address:
        return f"https://0.0.0.0:{port}"
    return f"https://{in_url(site.node.internal_address)}:{port},https://127.0.0.1:{port}"


def _etcd_suite(name: str) -> str:
    """Name a suite as etcd does: in full."""
    return f"{name}_SHA256" if name.endswith("POLY1305") else name
