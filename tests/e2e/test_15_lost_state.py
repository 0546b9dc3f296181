"""An operator who lost the state goes on with the cluster as it is, under the same authorities."""

from __future__ import annotations

from pathlib import Path

import pytest
from authority import authorities
from harness import Cluster
from lone import of_one, one_message, spare
from running import own

from rkx_lab.state import Lab

__all__ = ["spare"]  # a fixture
pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]
STATES = "cluster.rkxstate*"


@pytest.fixture(scope="module")
def single(lab: Lab, spare: str, tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    """A running cluster of one machine."""
    single = of_one(lab, spare, tmp_path_factory.mktemp("lost"))
    single.rkx("up", "--plain").check()
    return single


def lose_state(cluster: Cluster, away: Path) -> None:
    """Move the state and its former generations out of the operator's folder."""
    for file in cluster.folder.glob(STATES):
        file.rename(away / file.name)
    assert authorities(cluster) == {}


def test_state_is_found_on_the_nodes_and_nothing_is_touched(cluster: Cluster, tmp_path: Path) -> None:
    former, containers = authorities(cluster), own(cluster)
    assert set(former) == {"kubernetes-ca", "etcd-ca", "front-proxy-ca", "node-client-ca"}
    lose_state(cluster, tmp_path)
    assert cluster.plan()["actions"] == []
    assert list(cluster.folder.glob(STATES)) == []  # a plan writes nothing
    cluster.rkx("up", "--plain").check()
    assert own(cluster) == containers
    assert authorities(cluster) == former


def test_state_is_found_while_the_api_server_is_down_and_the_run_repairs_it(single: Cluster, tmp_path: Path) -> None:
    machine, former = single.machines[0].name, authorities(single)
    before = single.containers(machine)
    single.on(machine, "docker", "stop", "kube-apiserver")  # its restart policy leaves it so
    lose_state(single, tmp_path)
    ours = former["kubernetes-ca"].lower().replace(":", "")
    one_message(single.rkx("up", "--plain", "--yes"), 8, "no API server answers that could confirm", f"sha256:{ours}")
    assert single.containers(machine)["etcd"] == before["etcd"]
    single.rkx("up", "--plain", "--ca-fingerprint", f"sha256:{ours}").check()
    assert authorities(single) == former
    after = single.containers(machine)
    assert after["kube-apiserver"] != before["kube-apiserver"]
    assert after["etcd"] == before["etcd"]
    single.kubectl("wait", "node", "--all", "--for=condition=Ready", "--timeout=60s").check()
    assert single.plan()["actions"] == []


def test_state_of_rke_without_ours_is_refused(single: Cluster, tmp_path: Path) -> None:
    machine, rke = single.machines[0].name, single.folder / "cluster.rkestate"
    before = single.containers(machine)
    lose_state(single, tmp_path)
    rke.write_text("{}")
    try:
        one_message(single.rkx("up", "--plain"), 8, str(rke), "RKE made", "the only copy of its CA")
        assert single.containers(machine) == before
        assert list(single.folder.glob(STATES)) == []
        assert rke.read_text() == "{}"
    finally:
        rke.unlink()
