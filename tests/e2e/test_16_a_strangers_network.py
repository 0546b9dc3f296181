"""A network that rkx does not bundle, from a distribution of its own: core learns nothing of it, and it works."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import workload
from harness import Cluster, run
from lone import of_one, rewrite, spare
from running import own

from rkx_lab.state import Lab

__all__ = ["spare"]  # a fixture
pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]
EXAMPLE = Path(__file__).parents[2] / "examples" / "rkx_network_bridge"
PIP = (sys.executable, "-m", "pip", "--isolated", "--disable-pip-version-check")
RULES = "for each in iptables iptables-legacy ip6tables ip6tables-legacy; do $each-save; done 2>/dev/null"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Build the example's wheel and install it where every program of these tests finds it, and nobody else."""
    folder = tmp_path_factory.mktemp("stranger")
    run(*PIP, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(EXAMPLE)).check()
    [wheel] = folder.glob("*.whl")
    run(*PIP, "install", "--no-index", "--no-deps", "--target", str(folder / "site"), str(wheel)).check()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder / "site"))
        yield folder / "site"


@pytest.fixture
def bridged(lab: Lab, spare: str, site: Path, tmp_path: Path) -> Cluster:
    """A cluster.yml of one machine that names the stranger's network, not brought up.

    The machine forwards nothing by itself, as Docker leaves one that did not forward before it came.
    """
    cluster = of_one(lab, spare, tmp_path)
    rewrite(cluster, network={"plugin": "bridge"})
    cluster.on(spare, "iptables", "-P", "FORWARD", "DROP")
    return cluster


def left(cluster: Cluster) -> list[str]:
    """List the links and rules on the machine that CNI's programs make."""
    machine = cluster.machines[0].name
    links = cluster.on(machine, "ip", "-o", "link").splitlines()
    rules = cluster.on(machine, "sh", "-c", RULES).splitlines()
    return [line for line in links if "cni0" in line] + [line for line in rules if "CNI-" in line]


def test_a_cluster_lives_on_a_strangers_network(bridged: Cluster) -> None:
    bridged.rkx("up", "--plain").check()
    bridged.kubectl("wait", "node", "--all", "--for=condition=Ready", "--timeout=60s").check()
    work = workload.deploy(bridged)
    assert "GET /direct " in work.get("one", work.addresses["two"], path="direct")
    for pod in ("one", "two"):
        assert "GET /by-name " in work.get(pod, f"serving.{workload.NAMESPACE}.svc.cluster.local", path="by-name")

    before = own(bridged)
    assert bridged.plan()["actions"] == []
    bridged.rkx("up", "--plain").check()
    assert own(bridged) == before

    assert left(bridged)
    bridged.rkx("remove", "--yes", "--plain").check()
    assert left(bridged) == []
    assert bridged.containers(bridged.machines[0].name) == {}


def test_a_second_machine_is_refused_by_name(bridged: Cluster) -> None:
    first = bridged.values["nodes"][0]
    second = {**first, "address": "192.0.2.9", "hostname_override": "far-away", "role": ["worker"]}
    rewrite(bridged, nodes=[first, second])
    refused = bridged.rkx("validate").check(3)
    assert "far-away" in refused.err
    assert "network.plugin" in refused.err
