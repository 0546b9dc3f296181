"""What core does with Nodes: cordon, evict, uncordon, delete."""

from __future__ import annotations

import time
from collections.abc import Mapping
from http import HTTPStatus
from random import SystemRandom
from typing import Any

from rkx.errors import ApiRefused, ApiSilent, Interrupted, PartlyDone, Refused
from rkx.lines import cut
from rkx.model.cluster import DrainOptions
from rkx.reconcile.answers import Said, of_api, words
from rkx.reconcile.cordon_marks import MARK, is_marked
from rkx.reconcile.objects import ClusterApi
from rkx.reconcile.wait_budget import WaitBudget

POLL_S = 0.1
MOST_POLL_S = 1.0
FIRST_S = 1.0
MOST_S = 5.0
"""As kubectl asks again for what a PodDisruptionBudget holds."""
SILENT_S = 60.0
"""How long all API servers may be silent before a step."""
Pod = Mapping[str, Any]


def must_go(pod: Pod, options: DrainOptions) -> str:
    """Say what is to be done with a pod: ``evict``, ``stay``, or why it must not be touched."""
    said = of_api(pod, "Pod")
    meta = said.table("metadata")
    owners = {owner.text("kind") for owner in meta.rows("ownerReferences")}
    if "kubernetes.io/config.mirror" in meta.labels("annotations"):
        return "stay"
    if "DaemonSet" in owners:
        return "stay" if options.ignore_daemonsets else "it belongs to a DaemonSet (ignore_daemonsets is false)"
    if said.table("status").text("phase", "") in ("Succeeded", "Failed"):
        return "evict"
    if not owners and not options.force:
        return "no controller would recreate it elsewhere (node_drain_input.force is false)"
    has_local = any("emptyDir" in volume.value for volume in said.table("spec").rows("volumes"))
    if has_local and not options.delete_local_data:
        return "it keeps data in an emptyDir (node_drain_input.delete_local_data is false)"
    return "evict"


def cordon(api: ClusterApi, node: str, budget: WaitBudget) -> None:
    """Keep new pods from a Node, with rkx's mark; one that is cordoned without it is its operator's, and stays so."""
    found = _read(api, node, budget)
    if found is not None and not found.table("spec").flag("unschedulable"):
        patch = {"metadata": {"annotations": {MARK: "true"}}, "spec": {"unschedulable": True}}
        api.merge(f"/api/v1/nodes/{node}", patch)


def uncordon(api: ClusterApi, node: str, budget: WaitBudget) -> None:
    """Let pods on a Node that bears rkx's mark, and take the mark away."""
    found = _read(api, node, budget)
    if found is not None and is_marked(found):
        patch = {"metadata": {"annotations": {MARK: None}}, "spec": {"unschedulable": None}}
        api.merge(f"/api/v1/nodes/{node}", patch)


def _read(api: ClusterApi, node: str, budget: WaitBudget) -> Said | None:
    """Read a Node, as soon as an API server answers: in a plan that changes them none may for a moment."""
    since = time.monotonic()
    while True:
        try:
            found = api.read(f"/api/v1/nodes/{node}")
        except ApiSilent:
            if not budget.left(since, SILENT_S) or budget.cancelled.wait(POLL_S):
                raise
        else:
            return None if found is None else of_api(found, f"Node {node}")


def delete(api: ClusterApi, node: str) -> None:
    """Delete a Node object, if it is there; PartlyDone if the API server refuses."""
    try:
        api.delete_node(node)
    except ApiRefused as error:
        raise PartlyDone(error.message, hint="run rkx again") from error


def drain(api: ClusterApi, node: str, options: DrainOptions, budget: WaitBudget) -> None:
    """Evict a node's pods; Refused names those that must stay, PartlyDone late ones; Interrupted if cancelled."""
    since, evictions = time.monotonic(), _Evictions(api, options)
    while going := _going(api, node, options):
        if budget.cancelled.is_set():
            raise Interrupted(f"cancelled while {node} was being emptied", hint="run rkx again to continue")
        evictions.ask(going)
        left = budget.left(since, options.timeout_s or float("inf"))
        if not left:
            took, pods = time.monotonic() - since, cut(", ".join(going))
            raise PartlyDone(
                f"{node} was not empty after {took:.0f} s: {pods}: {evictions.why}",
                hint="a PodDisruptionBudget may hold them; run rkx again",
            )
        budget.cancelled.wait(min(left, evictions.rest_s))


def _going(api: ClusterApi, node: str, options: DrainOptions) -> dict[str, Pod]:
    """List by name the pods that are still to go; Refused names those that must not."""
    listed = api.listed("/api/v1/pods", fieldSelector=f"spec.nodeName={node}")
    verdicts = {_name(pod): (pod.value, must_go(pod.value, options)) for pod in listed}
    if stuck := {name: why for name, (_, why) in verdicts.items() if why not in ("evict", "stay")}:
        raise Refused(
            f"{node} cannot be emptied: {cut('; '.join(f'{name}: {why}' for name, why in stuck.items()))}",
            hint="move these pods, or set upgrade_strategy.node_drain_input in cluster.yml",
        )
    return {name: pod for name, (pod, why) in verdicts.items() if why == "evict"}


def _name(pod: Said) -> str:
    meta = pod.table("metadata")
    return f"{meta.text('namespace')}/{meta.text('name')}"


class _Evictions:
    """Asks for evictions; ``why`` is the last refusal, ``rest_s`` how long to wait before the next look.

    A pod that is held is asked for after 1 s, 2 s, 4 s and then every 5 s, give or take a fifth, as others may be
    draining, too. Looks become seldom as long as no pod goes.
    """

    def __init__(self, api: ClusterApi, options: DrainOptions) -> None:
        self.why, self.rest_s = "", POLL_S
        self._api, self._options = api, options
        self._held: dict[str, tuple[float, float]] = {}
        self._before: frozenset[str] = frozenset()
        self._chance = SystemRandom()

    def ask(self, pods: Mapping[str, Pod]) -> None:
        """Evict the pods whose time has come and that are not going already."""
        self.rest_s = min(MOST_POLL_S, 2 * self.rest_s) if pods.keys() == self._before else POLL_S
        self._before = frozenset(pods)
        for name, pod in pods.items():
            due, waits = self._held.get(name, (0.0, FIRST_S))
            if "deletionTimestamp" in pod["metadata"] or time.monotonic() < due:
                continue
            if said := _evict(self._api, pod, self._options):
                self.why = said
            self._held[name] = (time.monotonic() + waits * self._chance.uniform(0.8, 1.2), min(MOST_S, 2 * waits))


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
    fine = answer.ok or answer.status in (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)
    return "" if fine else f"{answer.status} {words(answer.content)[:200]}"
