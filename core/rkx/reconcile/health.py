"""When nodes and workloads count as healthy, and what to show of those that do not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rkx.errors import RkxError
from rkx.lines import cut
from rkx.model.manifest import HEALTH_VERSIONS, HealthCheck
from rkx.reconcile.answers import Said, of_api
from rkx.reconcile.bounds import PROBE
from rkx.reconcile.objects import ClusterApi
from rkx.reconcile.state import ObjectRecord

Live = Mapping[str, Any]
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
    said = of_api(live, kind)
    status = said.table("status")
    if kind in CONDITIONS:
        if status.text("phase", "") == "Succeeded":
            return ""
        return _condition(status, CONDITIONS[kind])
    if status.number("observedGeneration", 0) < said.table("metadata").number("generation", 0):
        return "its controller has not observed this generation yet"
    return _daemons(status) if kind == "DaemonSet" else _replicas(said, status)


def behind(live: Live, nodes: Sequence[Live]) -> str:
    """Say if a DaemonSet has not counted all nodes yet: its controller learns of a new one a moment after kubelets do.

    Affinity is not understood here: with one, or with no pods to run, nothing is said.
    """
    said = of_api(live, "DaemonSet")
    pod = said.table("spec").table("template").table("spec")
    if "affinity" in pod.value:
        return ""
    counted = said.table("status").number("desiredNumberScheduled", 0)
    wanted = sum(_takes(of_api(node, "Node"), pod) for node in nodes)
    return "" if counted >= wanted else f"desiredNumberScheduled is {counted}, expected {wanted}"


def _takes(node: Said, pod: Said) -> bool:
    labels = node.table("metadata").labels("labels")
    if any(labels.get(name) != value for name, value in pod.labels("nodeSelector").items()):
        return False
    taints = [t for t in node.table("spec").rows("taints") if t.text("effect") != "PreferNoSchedule"]
    tolerations = [each.value for each in pod.rows("tolerations")]
    return all(
        t.text("key").startswith(OF_CONDITIONS) or any(_bears(each, t.value) for each in tolerations) for t in taints
    )


def _bears(toleration: Live, taint: Live) -> bool:
    same_key = toleration.get("key", taint["key"]) == taint["key"]
    same_effect = toleration.get("effect") in (None, "", taint["effect"])
    same_value = toleration.get("operator") == "Exists" or toleration.get("value", "") == taint.get("value", "")
    return same_key and same_effect and same_value


def _condition(status: Said, wanted: str) -> str:
    for condition in status.rows("conditions"):
        if condition.text("type") == wanted:
            return "" if condition.text("status") == "True" else condition.words("message", "") or f"is not {wanted}"
    return f"is not {wanted}"


def _daemons(status: Said) -> str:
    wanted = status.number("desiredNumberScheduled", 0)
    ready = min(status.number("updatedNumberScheduled", 0), status.number("numberAvailable", 0))
    return "" if wanted and ready >= wanted else f"{ready} of {wanted} pods are available"


def _replicas(live: Said, status: Said) -> str:
    wanted = live.table("spec").number("replicas", 1)
    ready = min(status.number("updatedReplicas", 0), status.number("availableReplicas", 0))
    return "" if ready >= wanted else f"{ready} of {wanted} replicas are available"


def collection(api: ClusterApi, check: HealthCheck) -> str:
    """Find the path to watch for a workload."""
    return api.path(HEALTH_VERSIONS[check.kind], check.kind, check.namespace, "").rstrip("/")


def workload(check: HealthCheck) -> ObjectRecord:
    """Say where a workload is found."""
    version = HEALTH_VERSIONS[check.kind]
    return ObjectRecord(api_version=version, kind=check.kind, namespace=check.namespace, name=check.name)


def story(api: ClusterApi, check: HealthCheck) -> str:
    """Tell what the cluster says of a workload's pods: their events and their last log lines.

    Nodes write events and pods of their own, in any number: what cannot be read is told, and hides nothing else.
    """
    namespace = check.namespace or "default"
    told = _told(lambda: _warnings(api, namespace, check.name), "its events")
    logs = _told(lambda: _logs(api, namespace, check.name), "its pods")
    return "\n".join([*told, *logs]) or "no pod and no event"


def _told(read: Callable[[], list[str]], what: str) -> list[str]:
    try:
        return read()
    except RkxError as error:
        return [cut(f"{what} cannot be read: {error.message}")]


def _warnings(api: ClusterApi, namespace: str, beginning: str) -> list[str]:
    events = api.listed(f"/api/v1/namespaces/{namespace}/events")
    return [line for event in events if (line := _warning(event, beginning))][-5:]


def _logs(api: ClusterApi, namespace: str, beginning: str) -> list[str]:
    pods = [pod.table("metadata").text("name") for pod in api.listed(f"/api/v1/namespaces/{namespace}/pods")]
    return [_log(api, namespace, pod) for pod in [pod for pod in pods if pod.startswith(beginning)][:2]]


def _warning(event: Said, beginning: str) -> str:
    name = event.table("involvedObject").text("name", "")
    if not name.startswith(beginning) or event.text("type", "Normal") == "Normal":
        return ""
    return cut(f"{name}: {event.text('reason', '')}: {event.text('message', '')}")


def _log(api: ClusterApi, namespace: str, pod: str) -> str:
    """Return the last lines of a pod: the API server passes on what its node says, however much and slowly."""
    try:
        return f"{pod} says: {api.log(namespace, pod, lines=8)}"
    except RkxError:
        return f"{pod}: no log came within {PROBE.seconds:g} s and {PROBE.size >> 20} MiB"
