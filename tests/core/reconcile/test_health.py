"""When objects count as healthy, from statuses as API servers show them; and which pods a drain may touch."""

from __future__ import annotations

from typing import Any

import pytest

from rkx.model.cluster import DrainOptions
from rkx.model.manifest import Object
from rkx.model.resource import Container
from rkx.reconcile import digest
from rkx.reconcile.drain import must_go
from rkx.reconcile.health import behind, unhealthy
from rkx.reconcile.objects import projection, record_of

DEPLOYMENT: dict[str, Any] = {  # of a v1.34 API server, less what is not read
    "metadata": {"name": "coredns", "generation": 1},
    "spec": {"replicas": 2},
    "status": {
        "observedGeneration": 1,
        "replicas": 2,
        "updatedReplicas": 2,
        "readyReplicas": 2,
        "availableReplicas": 2,
        "conditions": [{"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable"}],
    },
}
DAEMON_SET: dict[str, Any] = {
    "metadata": {"name": "kube-flannel", "generation": 2},
    "spec": {},
    "status": {
        "currentNumberScheduled": 3,
        "numberMisscheduled": 0,
        "desiredNumberScheduled": 3,
        "numberReady": 3,
        "observedGeneration": 2,
        "updatedNumberScheduled": 3,
        "numberAvailable": 3,
    },
}
WAITING = {"type": "Ready", "status": "False", "reason": "ContainersNotReady", "message": "unready containers: [web]"}


def changed(live: dict[str, Any], **status: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {**live, "status": {**live["status"], **status}}


def conditions(*found: dict[str, str], **status: str) -> dict[str, Any]:
    return {"metadata": {"name": "x"}, "status": {**status, "conditions": list(found)}}


@pytest.mark.parametrize(
    ("kind", "live", "why"),
    [
        ("Deployment", DEPLOYMENT, ""),
        ("Deployment", {}, "is not there"),
        ("Deployment", changed(DEPLOYMENT, availableReplicas=1), "1 of 2 replicas are available"),
        ("Deployment", changed(DEPLOYMENT, updatedReplicas=0), "0 of 2 replicas are available"),
        (
            "Deployment",
            {**DEPLOYMENT, "metadata": {"generation": 2}},
            "its controller has not observed this generation yet",
        ),
        ("DaemonSet", DAEMON_SET, ""),
        ("DaemonSet", changed(DAEMON_SET, numberAvailable=2), "2 of 3 pods are available"),
        ("DaemonSet", changed(DAEMON_SET, updatedNumberScheduled=1), "1 of 3 pods are available"),
        ("DaemonSet", changed(DAEMON_SET, desiredNumberScheduled=0), "3 of 0 pods are available"),
        ("Pod", conditions({"type": "Ready", "status": "True"}, phase="Running"), ""),
        ("Pod", conditions(WAITING, phase="Pending"), "unready containers: [web]"),
        ("Pod", conditions(WAITING, phase="Succeeded"), ""),
        ("Pod", conditions(phase="Pending"), "is not Ready"),
        ("Node", conditions({"type": "Ready", "status": "Unknown", "message": "Kubelet stopped"}), "Kubelet stopped"),
        ("APIService", conditions({"type": "Available", "status": "True"}), ""),
        ("APIService", conditions({"type": "Available", "status": "False", "message": "503"}), "503"),
        ("CustomResourceDefinition", conditions({"type": "NamesAccepted", "status": "True"}), "is not Established"),
        ("Job", conditions({"type": "Complete", "status": "True"}), ""),
    ],
)
def test_why_an_object_does_not_work(kind: str, live: dict[str, Any], why: str) -> None:
    assert unhealthy(kind, live) == why


def pod(*owners: str, mirror: bool = False, phase: str = "Running", local: bool = False) -> dict[str, Any]:
    return {
        "metadata": {
            "ownerReferences": [{"kind": owner} for owner in owners],
            "annotations": {"kubernetes.io/config.mirror": "x"} if mirror else None,
        },
        "status": {"phase": phase},
        "spec": {"volumes": [{"emptyDir": {}}] if local else None},
    }


PLAIN = DrainOptions()


@pytest.mark.parametrize(
    ("found", "options", "verdict"),
    [
        (pod("ReplicaSet"), PLAIN, "evict"),
        (pod("ReplicaSet", local=True), DrainOptions(delete_local_data=True), "evict"),
        (pod("ReplicaSet", local=True), PLAIN, "it keeps data in an emptyDir"),
        (pod("ReplicaSet", local=True, phase="Succeeded"), PLAIN, "evict"),
        (pod("DaemonSet"), PLAIN, "stay"),
        (pod("DaemonSet"), DrainOptions(ignore_daemonsets=False), "it belongs to a DaemonSet"),
        (pod("Node", mirror=True), PLAIN, "stay"),
        (pod(), PLAIN, "no controller would recreate it elsewhere"),
        (pod(), DrainOptions(force=True), "evict"),
        (pod(phase="Failed"), PLAIN, "evict"),
    ],
)
def test_what_a_drain_does_with_a_pod(found: dict[str, Any], options: DrainOptions, verdict: str) -> None:
    assert must_go(found, options).startswith(verdict)


def test_a_projection_keeps_the_fields_that_are_wanted_in_the_apis_spelling() -> None:
    wanted = {"spec": {"cpu": "1000m", "list": [{"a": 1}]}, "gone": 1}
    live = {"spec": {"cpu": "1", "list": [{"a": 1, "b": 2}], "more": True}, "status": {}}
    assert projection(live, wanted) == {"spec": {"cpu": "1", "list": [{"a": 1}]}, "gone": None}
    assert projection({"list": [1, 2, 3]}, {"list": [1]}) == {"list": [1, 2, 3]}


def test_a_record_tells_drift_from_spelling() -> None:
    def record(live: dict[str, Any]) -> str:
        body = {"spec": {"cpu": "1000m"}}
        return record_of(b"k", Object(api_version="v1", kind="K", namespace="", name="n", body=body), live).live

    assert record({"spec": {"cpu": "1"}}) == record({"spec": {"cpu": "1", "more": 1}, "status": {}})
    assert record({"spec": {"cpu": "1"}}) != record({"spec": {"cpu": "2"}})


@pytest.mark.parametrize(
    ("more", "counts"),
    [
        ({"bootstrap_args": ("--new",)}, False),
        ({"stop_timeout_s": 99}, False),
        ({"owner": "service:other"}, False),
        ({"argv": ("a", "--flag")}, True),
        ({"env": {"A": "b"}}, True),
        ({"image": "other"}, True),
        ({"capabilities": ("CHOWN",)}, True),
        ({"privileged": True}, True),
    ],
)
def test_what_counts_in_a_containers_digest(more: dict[str, Any], counts: bool) -> None:
    plain: dict[str, Any] = {"node": "one", "name": "a", "image": "i", "argv": ("a",)}
    one, other = (digest.of_container(b"k", Container(**{**plain, **each})) for each in ({}, more))
    assert (one != other) is counts


def test_a_digest_cannot_be_made_without_the_clusters_key() -> None:
    assert digest.keyed(b"one", b"secret") != digest.keyed(b"other", b"secret")


def node(name: str, *taints: str, **labels: str) -> dict[str, Any]:
    """Make a Node with taints written KEY:EFFECT."""
    listed = [dict(zip(("key", "effect"), taint.split(":"), strict=True)) for taint in taints]
    return {"metadata": {"name": name, "labels": labels}, "spec": {"taints": listed}}


def daemon_set(counted: int, **pod: Any) -> dict[str, Any]:  # noqa: ANN401 - parts of a pod
    return {"spec": {"template": {"spec": pod}}, "status": {"desiredNumberScheduled": counted}}


NODES = [
    node("server", "node-role.kubernetes.io/control-plane:NoSchedule", os="linux"),
    node("worker", os="linux"),
    node("new", "node.kubernetes.io/not-ready:NoExecute", "seldom:PreferNoSchedule", os="linux"),
    node("other", os="windows"),
]
EVERYWHERE = {"tolerations": [{"operator": "Exists"}]}


@pytest.mark.parametrize(
    ("pod", "wanted"),
    [
        (EVERYWHERE, 4),
        ({}, 3),
        ({**EVERYWHERE, "nodeSelector": {"os": "linux"}}, 3),
        ({"nodeSelector": {"os": "linux"}}, 2),
        ({"tolerations": [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]}, 4),
        ({"tolerations": [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoExecute"}]}, 3),
        ({"tolerations": [{"key": "another", "operator": "Exists"}]}, 3),
    ],
)
def test_a_daemon_set_is_behind_until_it_counts_every_node_that_it_takes(pod: dict[str, Any], wanted: int) -> None:
    assert behind(daemon_set(wanted, **pod), NODES) == ""
    assert behind(daemon_set(wanted - 1, **pod), NODES) == f"desiredNumberScheduled is {wanted - 1}, expected {wanted}"


def test_a_daemon_set_with_affinity_is_not_judged() -> None:
    assert behind(daemon_set(0, affinity={}), NODES) == ""
