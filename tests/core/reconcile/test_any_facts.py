"""Whatever valid facts a machine has, no built-in plugin stumbles over them; those that are not valid reach none."""

from __future__ import annotations

import string
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rkx import api
from rkx.errors import BadAnswer, PartlyDone, RkxError
from rkx.model.facts import HostFacts, NodeFacts
from rkx.reconcile import forms, host
from rkx.reconcile.answers import Said
from rkx.reconcile.desired import describe_cluster
from rkx.reconcile.state import new_state
from rkx.testing import FakeTransport, FakeWorld

CLUSTER = """
transport: fake
image_layout: rkx
profile: cis
network: {plugin: flannel, options: {iface: eth0, mtu: 1400}}
nodes:
- {address: 192.0.2.1, hostname_override: one, role: [controlplane, etcd, worker]}
"""
SOME = settings(
    max_examples=40, derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
ADDRESSES = st.ip_addresses().map(str)
LINES = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), max_size=40).filter(str.isprintable)
LETTERS = string.punctuation.replace("/", "").replace(":", "")
NAMES = st.sampled_from(["eth0", "lo", "a" * 15, "\u00fc"]) | st.text(LETTERS, min_size=1, max_size=15)
IDS = st.sampled_from(["", "uninitialized", "0" * 32])
SERVERS = st.builds("nameserver {}".format, ADDRESSES | LINES)
RESOLVERS = st.lists(SERVERS | LINES | st.just("nameserver"), max_size=5).map("\n".join)
CARDS = st.fixed_dictionaries(
    {
        "name": NAMES,
        "mtu": st.integers(0, host.MOST_MTU),
        "addresses": st.lists(st.builds("{}/{}".format, ADDRESSES, st.integers(0, 32)), max_size=3),
        "up": st.booleans(),
    }
)
PORTS = st.fixed_dictionaries(
    {
        "proto": st.sampled_from(["tcp", "tcp6", "udp", "udp6"]),
        "port": st.integers(0, host.MOST_PORT),
        "address": ADDRESSES,
    }
)
HOSTS: st.SearchStrategy[HostFacts] = st.fixed_dictionaries(
    {
        "boot_id": IDS,
        "machine_id": IDS,
        "interfaces": st.lists(CARDS, max_size=3),
        "default_route": st.none() | st.fixed_dictionaries({"interface": NAMES}),
        "resolv_conf": RESOLVERS,
        "listening": st.lists(PORTS, max_size=3),
        "swap": st.booleans(),
        "sysctls": st.dictionaries(st.sampled_from(["kernel.panic", "vm.panic_on_oom"]), LINES),
    }
).map(lambda said: host.of_answer(Said(said, "one", "rkx-node")))
VERSIONS = st.text(string.digits + "abc.+~_-", min_size=1, max_size=64).map(forms.version)
PATHS = LINES.filter(lambda text: not {*"/:"} & {*text} and text not in ("", ".", "..")).map("/{}".format)
NODES = st.builds(
    NodeFacts,
    engine_id=st.just("x"),
    engine_version=VERSIONS,
    api_version=st.sampled_from(["0.0", "1.41", "999.999"]),
    root_dir=PATHS.map(forms.path) | st.just("/"),
    logging_driver=LINES,
    cgroup_driver=st.sampled_from(["cgroupfs", "systemd", "none"]),
    cgroup_version=st.sampled_from([1, 2]),
    security_options=st.lists(LINES | st.just("name=,"), max_size=3).map(tuple),
    host=st.none() | HOSTS,
)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeWorld]:
    monkeypatch.setattr("rkx.reconcile.node_image.program", lambda architecture: b"rkx-node")
    made = FakeWorld(["one"], agent="kubelet")
    yield made
    made.close()


@pytest.mark.whole
def test_no_built_in_plugin_stumbles_over_a_valid_fact(world: FakeWorld, file: Path) -> None:
    project = api.load(file, plugins=(FakeTransport(world),))
    state, now = new_state(), datetime.now(UTC)

    @SOME
    @given(NODES)
    def law(facts: NodeFacts) -> None:
        known = {"one": facts}
        assert describe_cluster(project.plugins, project.cluster, known, state, now).on("one")
        project.plugins.checks(project.cluster, known)

    law()


ODD: dict[str, tuple[str, Any]] = {
    "an address": (
        "host",
        {"interfaces": [{"name": "eth0", "mtu": 1500, "addresses": ["not an address"], "up": True}]},
    ),
    "a version": ("engine", {"ServerVersion": "9" * 5000}),
}


@pytest.mark.whole
@pytest.mark.parametrize("what", ODD)
def test_a_fact_that_is_not_valid_is_told_with_its_node_and_reaches_no_plugin(
    world: FakeWorld, file: Path, what: str
) -> None:
    where, odd = ODD[what]
    machine = world.machines["one"]
    plain = machine._facts
    if where == "host":
        machine._facts = lambda operation: {"facts": plain(operation)["facts"] | odd}  # type: ignore[method-assign]
    else:
        world.engines["one"].says.update(odd)
    run = api.up(api.load(file, plugins=(FakeTransport(world),)))
    list(run)
    assert isinstance(run.error, BadAnswer | PartlyDone), run.error
    assert run.error.message.startswith("one: ")
    assert run.exit_code != RkxError.exit_code
