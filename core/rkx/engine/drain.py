"""Empty a node and take it out of the cluster: cordon, evict, delete. Core's own language, so core's own steps."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import requests

from rkx.engine.objects import ClusterApi
from rkx.engine.patience import Patience
from rkx.errors import Interrupted, PartlyDone, Refused
from rkx.model.cluster import DrainOptions

POLL_S = 0.1
Pod = Mapping[str, Any]


def must_go(pod: Pod, options: DrainOptions) -> str:
    """Say what is to be done with a pod: ``evict``, ``stay``, or why it must not be touched."""
    meta = pod["metadata"]
    owners = {owner["kind"] for owner in meta.get("ownerReferences") or ()}
    if "kubernetes.io/config.mirror" in (meta.get("annotations") or {}):
        return "stay"
    if "DaemonSet" in owners:
        return "stay" if options.ignore_daemonsets else "it belongs to a DaemonSet (ignore_daemonsets is false)"
    if pod.get("status", {}).get("phase") in ("Succeeded", "Failed"):
        return "evict"
    if not owners and not options.force:
        return "nothing would make it anew elsewhere (node_drain_input.force is false)"
    has_local = any("emptyDir" in volume for volume in pod["spec"].get("volumes") or ())
    if has_local and not options.delete_local_data:
        return "it keeps data in an emptyDir (node_drain_input.delete_local_data is false)"
    return "evict"


def leave(api: ClusterApi, node: str, options: DrainOptions, patience: Patience) -> None:
    """Cordon a node, evict its pods within the time given, and delete its Node object."""
    if api.read(f"/api/v1/nodes/{node}") is None:
        return
    api.merge(f"/api/v1/nodes/{node}", {"spec": {"unschedulable": True}})
    drain(api, node, options, patience)
    answer = api.ask("DELETE", f"/api/v1/nodes/{node}")
    if not answer.ok and answer.status_code != requests.codes.not_found:
        raise PartlyDone(f"the Node {node} was not deleted: {answer.status_code} {answer.text[:200]}", hint="run again")


def drain(api: ClusterApi, node: str, options: DrainOptions, patience: Patience) -> None:
    """Evict a node's pods; Refused names those that must not go, PartlyDone those that do not go in time."""
    since = time.monotonic()
    while True:
        verdicts = {_name(pod): (pod, must_go(pod, options)) for pod in _pods(api, node)}
        if stuck := {name: why for name, (_, why) in verdicts.items() if why not in ("evict", "stay")}:
            raise Refused(
                f"{node} cannot be emptied: " + "; ".join(f"{name}: {why}" for name, why in stuck.items()),
                hint="move these pods, or set upgrade_strategy.node_drain_input in cluster.yml",
            )
        going = [pod for pod, why in verdicts.values() if why == "evict"]
        if not going:
            return
        if patience.cancelled.is_set():
            raise Interrupted(f"cancelled while {node} was being emptied", hint="run again to go on")
        said = [_evict(api, pod, options) for pod in going if "deletionTimestamp" not in pod["metadata"]]
        if not patience.left(since, options.timeout_s or float("inf")):
            names = ", ".join(map(_name, going))
            raise PartlyDone(
                f"{node} was not empty after {time.monotonic() - since:.0f} s: {names}: {''.join(said[:1])}",
                hint="a PodDisruptionBudget may hold them; run again",
            )
        patience.cancelled.wait(POLL_S)


def _pods(api: ClusterApi, node: str) -> list[Pod]:
    found: list[Pod] = (api.read("/api/v1/pods", fieldSelector=f"spec.nodeName={node}") or {"items": []})["items"]
    return found


def _name(pod: Pod) -> str:
    return f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"


def _evict(api: ClusterApi, pod: Pod, options: DrainOptions) -> str:
    meta = pod["metadata"]
    grace = {} if options.grace_period_s < 0 else {"gracePeriodSeconds": options.grace_period_s}
    body = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "deleteOptions": grace,
        "metadata": {"name": meta["name"], "namespace": meta["namespace"]},
    }
    answer = api.create(f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}/eviction", body)
    fine = answer.ok or answer.status_code in (requests.codes.not_found, requests.codes.conflict)
    return "" if fine else f"{answer.status_code} {answer.text[:200]}"
