"""When nodes and workloads count as healthy, and what to show of those that do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rkx.engine.objects import ClusterApi
from rkx.engine.state import ObjectRecord
from rkx.model.resource import Rollout

Live = Mapping[str, Any]
VERSIONS = {
    "Deployment": "apps/v1",
    "DaemonSet": "apps/v1",
    "StatefulSet": "apps/v1",
    "Pod": "v1",
    "Node": "v1",
    "Job": "batch/v1",
    "APIService": "apiregistration.k8s.io/v1",
    "CustomResourceDefinition": "apiextensions.k8s.io/v1",
}
OF_CONDITIONS = "node.kubernetes.io/"
"""Taints that say how a node is; pods of a DaemonSet bear them by themselves."""
CONDITIONS = {
    "Pod": "Ready",
    "Node": "Ready",
    "APIService": "Available",
    "CustomResourceDefinition": "Established",
    "Job": "Complete",
}


def unhealthy(kind: str, live: Live) -> str:
    """Say why an object of a kind does not work yet; empty when it does."""
    if not live:
        return "is not there"
    status = live.get("status", {})
    if kind in CONDITIONS:
        if status.get("phase") == "Succeeded":
            return ""
        return _condition(status, CONDITIONS[kind])
    if status.get("observedGeneration", 0) < live["metadata"].get("generation", 0):
        return "is not looked at yet"
    return _daemons(status) if kind == "DaemonSet" else _replicas(live, status)


def behind(live: Live, nodes: Sequence[Live]) -> str:
    """Say if a DaemonSet has not counted all nodes yet: its controller learns of a new one a moment after kubelets do.

    Affinity is not understood here: with one, or with no pods to run, nothing is said.
    """
    pod = live.get("spec", {}).get("template", {}).get("spec", {})
    if "affinity" in pod:
        return ""
    counted = live.get("status", {}).get("desiredNumberScheduled", 0)
    wanted = sum(_takes(node, pod) for node in nodes)
    return "" if counted >= wanted else f"counts {counted} of {wanted} nodes"


def _takes(node: Live, pod: Live) -> bool:
    labels = node["metadata"].get("labels", {})
    if any(labels.get(name) != value for name, value in (pod.get("nodeSelector") or {}).items()):
        return False
    taints = [t for t in node.get("spec", {}).get("taints") or () if t["effect"] != "PreferNoSchedule"]
    return all(
        t["key"].startswith(OF_CONDITIONS) or any(_bears(each, t) for each in pod.get("tolerations") or ())
        for t in taints
    )


def _bears(toleration: Live, taint: Live) -> bool:
    same_key = toleration.get("key", taint["key"]) == taint["key"]
    same_effect = toleration.get("effect") in (None, "", taint["effect"])
    same_value = toleration.get("operator") == "Exists" or toleration.get("value", "") == taint.get("value", "")
    return same_key and same_effect and same_value


def _condition(status: Live, wanted: str) -> str:
    for condition in status.get("conditions") or ():
        if condition["type"] == wanted:
            return "" if condition["status"] == "True" else condition.get("message") or f"is not {wanted}"
    return f"is not {wanted}"


def _daemons(status: Live) -> str:
    wanted = status.get("desiredNumberScheduled", 0)
    updated, available = status.get("updatedNumberScheduled", 0), status.get("numberAvailable", 0)
    return (
        ""
        if wanted and min(updated, available) >= wanted
        else f"{min(updated, available)} of {wanted} pods are available"
    )


def _replicas(live: Live, status: Live) -> str:
    wanted = live["spec"].get("replicas", 1)
    updated, available = status.get("updatedReplicas", 0), status.get("availableReplicas", 0)
    return "" if min(updated, available) >= wanted else f"{min(updated, available)} of {wanted} replicas are available"


def collection(api: ClusterApi, rollout: Rollout) -> str:
    """Find the path to watch for a workload."""
    return api.path(VERSIONS[rollout.kind], rollout.kind, rollout.namespace, "").rstrip("/")


def workload(rollout: Rollout) -> ObjectRecord:
    """Say where a workload is found."""
    version = VERSIONS[rollout.kind]
    return ObjectRecord(api_version=version, kind=rollout.kind, namespace=rollout.namespace, name=rollout.name)


def story(api: ClusterApi, rollout: Rollout) -> str:
    """Tell what the cluster says of a workload's pods: their events and their last log lines."""
    namespace = rollout.namespace or "default"
    pods = (api.read(f"/api/v1/namespaces/{namespace}/pods") or {"items": []})["items"]
    mine = [pod for pod in pods if pod["metadata"]["name"].startswith(rollout.name)]
    events = (api.read(f"/api/v1/namespaces/{namespace}/events") or {"items": []})["items"]
    told = [
        f"{event['involvedObject']['name']}: {event.get('reason')}: {event.get('message')}"
        for event in events
        if event["involvedObject"]["name"].startswith(rollout.name) and event.get("type") != "Normal"
    ]
    return (
        "\n".join([*told[-5:], *(_log(api, namespace, pod["metadata"]["name"]) for pod in mine[:2])])
        or "no pod and no event"
    )


def _log(api: ClusterApi, namespace: str, pod: str) -> str:
    answer = api.ask("GET", f"/api/v1/namespaces/{namespace}/pods/{pod}/log", params={"tailLines": "8"})
    return f"{pod} says: {answer.text.strip()[-800:]}"
