"""A change of cluster.yml restarts what reads it, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml
from harness import Cluster
from running import HOLD_LEASES, Containers, differing, own, planned, pods, up
from workload import Workload

pytestmark = [pytest.mark.lab, pytest.mark.demonstration(5), pytest.mark.timeout(900)]
RECORDS = "/etc/kubernetes/records"


@pytest.fixture(scope="module")
def restored() -> Iterator[dict[str, Cluster]]:
    """Return the session's cluster its former cluster.yml back after this file's tests, which add to each other."""
    kept: dict[str, Cluster] = {}
    yield kept
    for text, cluster in kept.items():
        cluster.file.write_text(text)
        up(cluster)
        cluster.has_nothing_to_do()


@pytest.fixture
def change(work: Workload, restored: dict[str, Cluster]) -> Callable[[str, str, str], None]:
    """Write an argument of a service into cluster.yml."""
    file = work.cluster.file
    if not restored:
        restored[file.read_text()] = work.cluster

    def write(service: str, argument: str, value: str) -> None:
        values = yaml.safe_load(file.read_text())
        values["services"].setdefault(service, {}).setdefault("extra_args", {})[argument] = value
        file.write_text(yaml.safe_dump(values, sort_keys=False))

    return write


def test_kube_api_when_its_arguments_change_restarts_alone(
    cluster: Cluster, change: Callable[[str, str, str], None]
) -> None:
    before, running, server = own(cluster), pods(cluster), cluster.machines[0].name
    change("kube-api", "max-requests-inflight", "401")
    reason = "arguments changed: --max-requests-inflight"
    assert planned(cluster) == [
        ("replace", f"{server} container kube-apiserver", reason),
        ("update", f"{server} file {RECORDS}/kube-apiserver.json", "content differs"),
    ]
    up(cluster)
    assert _changed(cluster, before) == {(server, "kube-apiserver")}
    arguments = cluster.on(server, "docker", "inspect", "-f", "{{json .Args}}", "kube-apiserver")
    assert "--max-requests-inflight=401" in json.loads(arguments)
    assert pods(cluster) == running


def test_kubelet_when_its_arguments_change_restarts_on_every_node_alone(
    cluster: Cluster, change: Callable[[str, str, str], None]
) -> None:
    before, running = own(cluster), pods(cluster)
    change("kubelet", "max-pods", "77")
    parts = ("container kubelet", f"file {RECORDS}/kubelet.json")
    assert {key for _, key, _ in planned(cluster)} == {f"{m.name} {part}" for m in cluster.machines for part in parts}
    up(cluster)
    assert _changed(cluster, before) == {(machine.name, "kubelet") for machine in cluster.machines}
    assert [node["status"]["capacity"]["pods"] for node in cluster.objects("nodes")] == ["77"] * len(cluster.machines)
    assert pods(cluster) == running


def test_kube_proxy_when_its_arguments_change_finds_them_in_its_file(
    cluster: Cluster, change: Callable[[str, str, str], None]
) -> None:
    before, running = own(cluster), pods(cluster)
    change("kubeproxy", "conntrack-tcp-timeout-established", "11h")
    up(cluster)
    assert _changed(cluster, before) == {(machine.name, "kube-proxy") for machine in cluster.machines}
    for machine in cluster.machines:
        written = cluster.on(machine.name, "cat", "/etc/kubernetes/kube-proxy/config.yaml")
        assert yaml.safe_load(written)["conntrack"]["tcpEstablishedTimeout"] == "11h"
        assert in_force(cluster, machine.name)["Linux"]["Conntrack"]["TCPEstablishedTimeout"] == "11h0m0s"
    assert pods(cluster) == running


def _changed(cluster: Cluster, before: Containers) -> set[tuple[str, str]]:
    """Name what is another or was started again, but for those that ended by themselves for want of their lease."""
    return {
        (machine, name)
        for machine, name in differing(cluster, before)
        if name not in HOLD_LEASES or own(cluster).get((machine, name), ("", ""))[0] != before[machine, name][0]
    }


def in_force(cluster: Cluster, machine: str) -> dict[str, Any]:
    """Ask a kube-proxy for the configuration that it runs with."""
    script = "exec 3<>/dev/tcp/127.0.0.1/10249; printf 'GET /configz HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3"
    answer = cluster.on(machine, "bash", "-c", script)
    found: dict[str, Any] = json.loads(answer.partition("\r\n\r\n")[2])["kubeproxy.config.k8s.io"]
    return found
