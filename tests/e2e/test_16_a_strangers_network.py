"""A network that rkx does not bundle, from a distribution of its own: core learns nothing of it, and it works."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import workload
from harness import RKX, Cluster, Done, run, until
from lone import of_one, rewrite, spare
from running import own

from rkx_lab.state import Lab

__all__ = ["spare"]  # a fixture
pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]
EXAMPLE = Path(__file__).parents[2] / "examples" / "rkx_network_bridge"
PIP = (sys.executable, "-m", "pip", "--isolated", "--disable-pip-version-check")
PYTEST = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider")
KIT = ("-p", "rkx.testing.plugin", "--pyargs", "rkx.testing.conformance")
OWN = (
    *("auth:x509", "network:flannel", "service:kubernetes"),
    *("addon:coredns", "addon:metrics-server", "addon:manifests"),
)
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
    assert "hostname: two" in work.get("one", work.addresses["two"])
    service = f"serving.{workload.NAMESPACE}.svc.cluster.local"
    request = ("perl", "-MIO::Socket::INET", "-e", workload.GET, service, "80", "")
    for pod in ("one", "two"):  # kube-proxy hears of a ready pod a moment after kubectl
        until(lambda pod=pod: "hostname: " in work.in_pod(pod, *request).out, f"{pod} gets {service}", 15)  # type: ignore[misc] # bound now

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


def passed(done: Done) -> int:
    """Return how many laws were kept; none may be broken or skipped."""
    last = done.check().out.strip().splitlines()[-1]
    found = re.search(r"(\d+) passed, \d+ deselected", last)
    assert found, last
    assert "skipped" not in last
    return int(found.group(1))


def test_it_is_listed_with_its_distribution(site: Path) -> None:
    lines = [line.split() for line in run(str(RKX), "plugins").check().out.splitlines()]
    assert ["network", "bridge", "rkx-network-bridge", "0.1.0"] in lines


def test_its_own_tests_are_the_kit_and_pass(site: Path, tmp_path: Path) -> None:
    assert passed(run(*PYTEST, "-c", str(EXAMPLE / "pyproject.toml"))) > 20
    options = ("--rkx-plugin", "network:bridge", "--rkx-options", '{"mtu": 1400}')
    assert passed(run(*PYTEST, "--rootdir", str(tmp_path), *KIT, *options)) > 20


def test_own_plugins_are_tried_by_the_same_command(spare: str, lab: Lab, tmp_path: Path) -> None:
    named = [word for each in OWN for word in ("--rkx-plugin", each)]
    assert passed(run(*PYTEST, *KIT, *named)) > 100
    cluster = of_one(lab, spare, tmp_path)
    [node] = cluster.values["nodes"]
    options = {
        **cluster.values["transport_options"],
        "user": node["user"],
        "ssh_key_path": cluster.values["ssh_key_path"],
    }
    transport = (
        "--rkx-plugin",
        "transport:ssh",
        "--rkx-address",
        node["address"],
        "--rkx-options",
        json.dumps(options),
    )
    assert passed(run(*PYTEST, *KIT, *transport)) > 10
