"""A worker is added and taken out; a machine that does not answer stops the run, or is passed over if one says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import picture
import pytest
import running
import workload
from harness import Cluster, until

from rkx_lab import cluster_yml, faults
from rkx_lab.state import Lab

pytestmark = [pytest.mark.lab, pytest.mark.demonstration(6), pytest.mark.timeout(600)]
NAMED_WITHIN_S = 10
LOST = "kube-proxy"
WANDERER = "wanderer"
Fault = Callable[[Lab, str], None]


@pytest.fixture
def wanderer(cluster: Cluster) -> Iterator[Cluster]:
    """A cluster that, once it has its fourth machine, has a pod there which may run anywhere."""
    yield cluster
    cluster.kubectl("delete", "deployment", WANDERER, "--ignore-not-found", "--timeout=60s", timeout_s=70).check()


def ready_nodes(cluster: Cluster) -> set[str]:
    """Name the nodes that are Ready."""
    return {
        node["metadata"]["name"]
        for node in cluster.objects("nodes")
        for condition in node["status"]["conditions"]
        if condition["type"] == "Ready" and condition["status"] == "True"
    }


def pods_on(cluster: Cluster, node: str) -> list[str]:
    """Name the pods of a node but those of DaemonSets, which Kubernetes collects some time after the node."""
    found = cluster.objects("pods", "-A", "--field-selector", f"spec.nodeName={node}")
    owners = {pod["metadata"]["name"]: pod["metadata"].get("ownerReferences", ()) for pod in found}
    return [name for name, owned in owners.items() if all(owner["kind"] != "DaemonSet" for owner in owned)]


def without_pods(cluster: Cluster, machines: Sequence[str]) -> list[dict[str, tuple[str, str]]]:
    """List the containers of some machines but those of pods, which have a life of their own."""
    found = [cluster.containers(name) for name in machines]
    return [{name: each for name, each in those.items() if not name.startswith("k8s_")} for those in found]


def settle(cluster: Cluster, node: str) -> None:
    """Start a pod that prefers a node, and wait until it runs there."""
    term = {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}]}
    affinity = {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100, "preference": term}]}
    echo = {"name": "echo", "image": workload.image(cluster, "echo")}
    labels = {"app": WANDERER}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [echo], "affinity": {"nodeAffinity": affinity}}}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": WANDERER, "namespace": "default"},
        "spec": {"selector": {"matchLabels": labels}, "template": template},
    }
    workload.apply(cluster, [deployment])
    until(lambda: wanderer_runs(cluster) == node, f"the pod runs on {node}")


def wanderer_runs(cluster: Cluster) -> str:
    """Name the node where the pod runs, or none."""
    for pod in cluster.objects("pods", "-l", f"app={WANDERER}"):
        if pod["status"]["phase"] == "Running" and "deletionTimestamp" not in pod["metadata"]:
            return str(pod["spec"]["nodeName"])
    return ""


def test_third_worker_comes_and_goes_and_no_other_node_is_touched(wanderer: Cluster, lab: Lab) -> None:
    cluster, added = wanderer, lab.machines[3]
    before, machine_before = running.own(cluster), picture.take(lab, added.name)

    def add(values: dict[str, Any]) -> None:
        values["nodes"].append(next(n for n in cluster_yml.values(lab)["nodes"] if n["address"] == added.address))

    with cluster.edited(add):
        assert {action["node"] for action in cluster.plan()["actions"]} - {""} == {added.name}
        cluster.rkx("up", "--plain").check()
        assert ready_nodes(cluster) == {machine.name for machine in (*cluster.machines, added)}
        cluster.has_nothing_to_do()
        settle(cluster, added.name)
    assert running.own(cluster) == before

    with_it = cluster.on(added.name, "docker", "ps", "-q")
    refused = cluster.rkx("up", "--plain").check(8)
    assert f"remove node {added.name}" in refused.err
    assert cluster.on(added.name, "docker", "ps", "-q") == with_it

    cluster.rkx("up", "--plain", "--yes").check()
    assert {node["metadata"]["name"] for node in cluster.objects("nodes")} == {m.name for m in cluster.machines}
    assert pods_on(cluster, added.name) == []
    until(lambda: wanderer_runs(cluster) in {m.name for m in cluster.machines}, "the pod runs elsewhere")
    found = picture.differences(machine_before, picture.take(lab, added.name))
    assert found == [], "\n".join(found)
    assert running.own(cluster) == before
    cluster.has_nothing_to_do()


@pytest.mark.parametrize(
    ("break_it", "mend_it"),
    [pytest.param(faults.stop, faults.start, id="stopped"), pytest.param(faults.pause, faults.unpause, id="frozen")],
)
def test_silent_machine_stops_the_run_unless_it_is_passed_over(
    cluster: Cluster, lab: Lab, break_it: Fault, mend_it: Fault
) -> None:
    *answering, silent = (machine.name for machine in cluster.machines)
    second, state = answering[-1], cluster.folder / "cluster.rkxstate"
    cluster.on(second, "docker", "rm", "-f", LOST)  # so that there is something to do
    break_it(lab, silent)
    try:
        before = state.read_bytes(), without_pods(cluster, answering)
        stopped = cluster.rkx("up", "--plain").check(4)
        assert stopped.took_s < NAMED_WITHIN_S
        assert silent in stopped.err
        assert (state.read_bytes(), without_pods(cluster, answering)) == before

        done = cluster.rkx("up", "--plain", "--allow-unreachable", silent).check(7)
        assert silent in done.err
        assert LOST in cluster.containers(second)
        assert silent in {node["metadata"]["name"] for node in cluster.objects("nodes")}
    finally:
        mend_it(lab, silent)
    until(lambda: ready_nodes(cluster) == {*answering, silent}, f"{silent} is Ready again", limit_s=120)
    until(lambda: cluster.plan()["actions"] == [], "nothing is left to do")
