"""The example of a third party's network, from its source; as a distribution it runs on machines of the lab."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
from tests.contract.kit import keep, laws

import rkx
from rkx.testing.conformance import samples, test_describing, test_every, test_network, test_pure
from rkx.testing.conformance.subject import Subject, given

SOURCE = Path(__file__).parents[2] / "examples" / "rkx_network_bridge"


@pytest.fixture
def bridge(monkeypatch: pytest.MonkeyPatch) -> Subject:
    monkeypatch.syspath_prepend(SOURCE)
    from rkx_network_bridge import BridgeConfig, BridgeNetwork

    return given(BridgeNetwork(BridgeConfig(mtu=1400)), mtu=1400)


def test_it_imports_rkx_alone_of_rkx() -> None:
    tree = ast.parse((SOURCE / "rkx_network_bridge.py").read_text())
    named = {name.name for each in ast.walk(tree) if isinstance(each, ast.Import) for name in each.names}
    named |= {str(each.module) for each in ast.walk(tree) if isinstance(each, ast.ImportFrom)}
    assert {name for name in named if name.split(".")[0] == "rkx"} == {"rkx"}


def test_it_keeps_every_law_of_networks(bridge: Subject, caplog: pytest.LogCaptureFixture) -> None:
    for module in (test_every, test_pure, test_describing, test_network):
        for law in laws(module):
            if "hash_seed" not in law.__name__:  # asks another process, which finds installed plugins alone
                keep(law, bridge, caplog)


def test_more_than_one_machine_is_refused_with_their_names(bridge: Subject) -> None:
    [_, *several] = [samples.cluster(roles, bridge.chosen.ref) for roles in samples.SETS]
    [problem] = bridge.problems(several[0])
    assert problem.where == "network.plugin"
    assert "node-1, and not of node-2, node-3" in problem.message


@pytest.mark.parametrize("mtu", [1279, 9001, -1])
def test_an_mtu_that_the_kernel_refuses_is_refused(bridge: Subject, mtu: int) -> None:
    wrong = given(bridge.kind(type(bridge.chosen.plugin.config)(mtu=mtu)), mtu=mtu)
    [problem] = wrong.problems(samples.cluster((samples.ROLES,), wrong.chosen.ref))
    assert (problem.where, str(mtu) in problem.message) == ("options.mtu", True)


def test_pods_get_addresses_from_the_whole_range(bridge: Subject) -> None:
    [case, *_] = bridge.cases()
    [written] = [each for each in bridge.resources(case) if isinstance(each, rkx.File)]
    assert isinstance(written.content, bytes)
    plugins = json.loads(written.content)["plugins"]
    assert [each["type"] for each in plugins] == ["bridge", "portmap", "firewall"]
    assert plugins[0]["ipam"] == {"type": "host-local", "ranges": [[{"subnet": case.cluster.pod_cidr}]]}
    assert plugins[0]["mtu"] == 1400
    assert not bridge.network(case).allocate_node_cidrs


def test_removal_knows_link_and_chains(bridge: Subject) -> None:
    [case, *_] = bridge.cases()
    [left] = [each for each in bridge.resources(case) if isinstance(each, rkx.HostCleanup)]
    assert (left.links, left.chains) == (("cni0",), ("CNI-",))
