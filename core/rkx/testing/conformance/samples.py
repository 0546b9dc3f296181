"""Clusters and facts to try plugins on."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from itertools import combinations
from pathlib import PurePosixPath
from typing import get_args

from msgspec.structs import replace

from rkx.config.options import Options
from rkx.config.tree import as_table, from_python
from rkx.model.cluster import Cluster, PluginRef, PrivateRegistry
from rkx.model.facts import Facts, HostFacts, Interface, NodeFacts
from rkx.model.manifest import Manifest
from rkx.model.network import NetworkSettings
from rkx.model.node import Node, Role
from rkx.model.resource import Container, File, Folder, Resource
from rkx.secret import Secret

PASSWORD = "a-password-of-the-kit"  # noqa: S105 - looked for in whatever is shown
LOGIN = b64encode(f"reader:{PASSWORD}".encode()).decode()
OBJECT = "{apiVersion: v1, kind: ConfigMap, metadata: {name: sample, namespace: default}}"
PINNED = re.compile(r"[^@]+(:(?!latest$)[\w.-]+|@sha256:[0-9a-f]{64})\Z")
ROLES: tuple[Role, ...] = get_args(Role)
CONTROL, DATA, WORK = ROLES
SETS: tuple[tuple[tuple[Role, ...], ...], ...] = (
    (ROLES,),
    ((CONTROL, DATA), (WORK,), (WORK,)),
    ((CONTROL,), (CONTROL,), (DATA,), (DATA,), (DATA,), (WORK,)),
)
HOST = HostFacts(
    boot_id="boot",
    machine_id="machine",
    interfaces=(Interface(name="eth0", mtu_bytes=1500, addresses=("192.0.2.1/24",)),),
    default_interface="eth0",
    resolv_conf="nameserver 198.51.100.53\n",
)


def placed(ref: PluginRef) -> PluginRef:
    """Return the reference as cluster.yml would make it: each option has a place."""
    options = Options(as_table(from_python(ref.options)), "options")
    return replace(ref, where="plugin", options=options, options_where=options.places())


def clusters(ref: PluginRef) -> Iterator[Cluster]:
    """Return clusters of one, three and six machines that name the plugin, for both layouts of images."""
    for roles in SETS:
        for layout in ("public", "rkx"):
            yield replace(cluster(roles, ref), image_layout=layout)


def cluster(roles: tuple[tuple[Role, ...], ...], ref: PluginRef) -> Cluster:
    """Make a cluster with a machine for each set of roles."""
    transport = ref if ref.stage == "transport" else PluginRef(stage="transport", name="sample")
    made = Cluster(
        name="sample",
        id="0123456789abcdef",
        nodes=tuple(_node(number, each, transport) for number, each in enumerate(roles, start=1)),
        kubernetes_version="v1.34.4",
        registries=(PrivateRegistry(url="registry.example", user="reader", password=Secret(PASSWORD)),),
    )
    match ref.stage:
        case "network":
            return replace(made, network=ref)
        case "auth":
            return replace(made, auth=(ref,))
        case "service":
            return replace(made, services=(ref,))
        case "addon":
            return replace(made, addons=(ref,))
        case "extension":
            return replace(made, extensions=(ref,))
    return made


def _node(number: int, roles: tuple[Role, ...], transport: PluginRef) -> Node:
    address = f"192.0.2.{number}"
    return Node(
        name=f"node-{number}",
        address=address,
        internal_address=address,
        roles=frozenset(roles),
        transport=transport.name,
        transport_options=transport.options,
        where=f"nodes[{number - 1}]",
    )


def subsets() -> list[tuple[Role, ...]]:
    """List every choice of one or more roles."""
    return [chosen for size in range(1, len(ROLES) + 1) for chosen in combinations(ROLES, size)]


def facts(cluster: Cluster) -> Iterator[Facts]:
    """Return facts of machines that were prepared, of new ones, and of a run that reached the first one only.

    They are plain dicts, so that a plugin that writes into them is found.
    """
    yield {node.name: _said(node, HOST) for node in cluster.nodes}
    yield {node.name: _said(node, None) for node in cluster.nodes}
    yield {node.name: _said(node, HOST) for node in cluster.nodes[:1]}


def _said(node: Node, host: HostFacts | None) -> NodeFacts:
    return NodeFacts(engine_id=node.name, engine_version="28.5.1", api_version="1.51", hostname=node.name, host=host)


def network(cluster: Cluster) -> NetworkSettings:
    """Return the settings of a usual network."""
    return NetworkSettings(cni="sample", pod_cidr=cluster.pod_cidr, modules=("br_netfilter",))


def resources(cluster: Cluster) -> tuple[Resource, ...]:
    """Return resources of others, for an extension to change."""
    node = cluster.nodes[0].name
    return (
        Folder(node=node, path=PurePosixPath("/etc/sample")),
        File(node=node, path=PurePosixPath("/etc/sample/settings"), content=b"level: 1\n", owner="service:sample"),
        Container(node=node, name="sample", image="sample:1", argv=("sample", "--level=1"), owner="service:sample"),
        Manifest(name="sample", text=OBJECT, owner="addon:sample"),
    )
