"""A cluster of one node as values: what is desired of it, what is seen there, and the state."""

from __future__ import annotations

from datetime import UTC, datetime
from types import MappingProxyType

from msgspec.structs import replace

import rkx
from rkx.model.facts import HostFacts, NodeFacts
from rkx.reconcile import digest
from rkx.reconcile.desired import Desired
from rkx.reconcile.layout import NAMES, Expected, Layout
from rkx.reconcile.observation import ObjectSnapshot
from rkx.reconcile.seen import SeenContainer, SeenFile, SeenNode
from rkx.reconcile.state import NodeRecord, new_state
from rkx.registry import Plugins

PLUGINS = Plugins([])
NOWHEN = datetime.fromtimestamp(0, UTC)
ONE = rkx.Node(
    name="one", address="192.0.2.1", internal_address="192.0.2.1", roles=frozenset({"worker"}), transport="ssh"
)
CLUSTER = rkx.Cluster(name="values", nodes=(ONE,), kubernetes_version="v1.34.4")
AGENT = rkx.Container(node="one", name="agent", image="agent:1", argv=("agent", "--level=1"), owner="service:tiny")
STATE = replace(
    new_state(),
    nodes={"one": NodeRecord(address="", internal_address="", roles=("worker",), engine_id="E", prepared=True)},
)
NO_OBJECTS = ObjectSnapshot(nodes={}, live={})
FACTS = NodeFacts(engine_id="E", engine_version="24", api_version="1.41", host=HostFacts())


def desired(*containers: rkx.Container, nodes: tuple[rkx.Node, ...] = (ONE,)) -> Desired:
    return Desired(
        cluster=replace(CLUSTER, nodes=nodes),
        facts={"one": FACTS},
        resources={each.key: each for each in containers},
        objects={},
        health_checks=(),
        identities={},
        renewals=(),
        layouts={node.name: Layout() for node in nodes},
        leaving={},
        programs={node.name: Expected(size=1, digests={}) for node in nodes},
    )


def container(wanted: rkx.Container, **more: str) -> SeenContainer:
    made = digest.of_container(STATE.key, wanted)
    own = {"cluster": STATE.cluster_id, "digest": made, "restart_policy": "always"}
    found = SeenContainer(id="1", name=wanted.name, image=wanted.image, state="running", argv=wanted.argv)
    return replace(found, **(own | more))


def node(*containers: SeenContainer, **more: object) -> SeenNode:
    own = [
        SeenContainer(id=name, name=name, image="", state="running", cluster=STATE.cluster_id)
        for name in NAMES.values()
    ]
    program = {rkx.NODE_PROGRAM: SeenFile(word="", modified=NOWHEN, size=1)}
    found = SeenNode(
        facts=FACTS,
        containers={each.name: each for each in (*own, *containers)},
        files=program,
        layout=Layout(),
        images=MappingProxyType({"agent:1": "sha256:1"}),
    )
    return replace(found, **more)
