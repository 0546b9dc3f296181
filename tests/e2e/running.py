"""What runs on a cluster's machines, in forms that can be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from harness import Cluster

Containers = dict[tuple[str, str], tuple[str, str]]
"""Machine and name -> id and time of start."""
HOLD_LEASES = {"kube-controller-manager", "kube-scheduler"}
"""They end by themselves when the API server is away for longer than their lease; Docker starts them again."""


def up(cluster: Cluster) -> None:
    """Run `rkx up` to a good end."""
    cluster.rkx("up", "--plain", timeout_s=400).check()


def ready(cluster: Cluster, machines: Sequence[str], since: datetime) -> bool:
    """Return whether the nodes are Ready and their kubelets have renewed their leases since then."""
    asked = ("nodes,leases", "-n", "kube-node-lease", "--request-timeout=5s", "-o", "json")
    done = cluster.kubectl("get", *asked)
    if done.code:
        return False
    items = done.json()["items"]
    conditions = [
        (item["metadata"]["name"], each["status"])
        for item in items
        for each in item.get("status", {}).get("conditions", ())
        if each["type"] == "Ready"
    ]
    renewed = {
        item["metadata"]["name"]
        for item in items
        if item["kind"] == "Lease" and datetime.fromisoformat(item["spec"]["renewTime"]) > since
    }
    every = {machine.name for machine in cluster.machines}
    return set(conditions) == {(name, "True") for name in every} and renewed.issuperset(machines)


def planned(cluster: Cluster) -> list[tuple[str, str, str]]:
    """Return the changes of a plan, sorted: verb, where and what, why; waits touch nothing."""
    changes = [action for action in cluster.plan()["actions"] if action["verb"] != "wait"]
    return sorted((each["verb"], _what(each), each["reason"]) for each in changes)


def _what(action: Mapping[str, str]) -> str:
    return f"{action['node']} {action['kind'].lower()} {action['name']}".strip()


def own(cluster: Cluster) -> Containers:
    """Return id and time of start of all containers but those of pods, and of rkx-node, which runs for each batch."""
    return {
        (machine, name): each
        for machine, those in cluster.every_container().items()
        for name, each in those.items()
        if not name.startswith(("k8s_", "rkx-"))
    }


def pods(cluster: Cluster) -> Containers:
    """Return the same of the pods' containers that run: kubelets clear away the others at times of their own."""
    found: Containers = {}
    for machine, those in cluster.every_container().items():
        running = set(cluster.on(machine, "docker", "ps", "-q", "--no-trunc").split())
        found |= {(machine, name): each for name, each in those.items() if each[0] in running and name[:4] == "k8s_"}
    return found


def differing(cluster: Cluster, before: Containers) -> set[tuple[str, str]]:
    """Name what is new, gone or started again since ``before``."""
    after = own(cluster)
    return {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
