"""Carry out what a plan says about cluster objects: apply, delete, label nodes."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any, assert_never

from msgspec.structs import astuple, replace

from rkx.errors import ApiRefused, Interrupted, NotReady
from rkx.model.action import Action, CreateObject, DeleteObject, ObjectAction, SetNodeMetadata, UpdateObject
from rkx.model.key import ObjectKey
from rkx.model.manifest import HealthCheck, Object
from rkx.model.resource import NodeMetadata
from rkx.reconcile import told
from rkx.reconcile.answers import of_api
from rkx.reconcile.desired import Desired
from rkx.reconcile.diff_objects import former_labels, former_taints, taints_of
from rkx.reconcile.manifests import field_at
from rkx.reconcile.object_waits import Live, ObjectWaits
from rkx.reconcile.objects import ClusterApi, record_of
from rkx.reconcile.state import ObjectRecord
from rkx.reconcile.state_store import StateStore
from rkx.reconcile.wait_budget import WaitBudget

RIGHTS_TIMEOUT_S = 30.0
POLL_S = 0.02
PASSING = {
    "failed calling webhook": "look at the pods behind that webhook",
    "provided IP is already allocated": "look which Service has that address: kubectl get services -A",
}
"""The API server's words for what may pass, with a hint for when it does not.

A webhook's pods may not be up yet (500, with which a mistake in an object is refused, too). A request that was cut off
leaves the address of a Service that was never stored, until the API server's own repair finds it a minute later (422).
"""
PASSING_POLL_S = 1.0


class Objects:
    """Changes of cluster objects in one run."""

    def __init__(
        self, api: ClusterApi, store: StateStore, desired: Desired, waits: ObjectWaits, budget: WaitBudget
    ) -> None:
        self._api, self._store, self._desired, self._waits, self._budget = api, store, desired, waits, budget

    def intend(self, actions: Sequence[Action]) -> None:
        """Note objects that are about to be made, and save: a killed run must not forget what it applied."""
        wanted = [self._desired.objects[action.key] for action in actions if isinstance(action, CreateObject)]
        if not wanted:
            return
        records = {
            str(o.key): ObjectRecord(api_version=o.api_version, kind=o.kind, namespace=o.namespace, name=o.name)
            for o in wanted
        }
        self._store.change(lambda state: replace(state, objects={**records, **state.objects}))

    def do(self, action: ObjectAction) -> None:
        """Carry out one action."""
        match action:
            case CreateObject() | UpdateObject():
                self._apply(self._desired.objects[action.key])
            case DeleteObject(key=key):
                self._delete(key)
            case SetNodeMetadata(key=node):
                self._set_node(self._desired.metadata(node))
            case _:
                assert_never(action)

    def _apply(self, wanted: Object) -> None:
        """Apply an object; what tells of certificates tells of those that this run has issued, too."""
        if wanted.key == told.KEY:
            wanted = told.told(self._desired.identities.values(), self._store.state)
        if wanted.kind == "Pod":
            named = field_at(wanted.body, "spec", "serviceAccountName")
            account = named if isinstance(named, str) and named else "default"
            path = f"/api/v1/namespaces/{wanted.namespace or 'default'}/serviceaccounts"
            self._waits.until(path, account, lambda live: "" if live else "is not there", f"serviceaccount {account}")
        live = self._applied(wanted)
        if wanted.grants:
            self._until_let_in(wanted)
        if wanted.kind == "CustomResourceDefinition":
            self._waits.until_healthy(HealthCheck(kind=wanted.kind, namespace="", name=wanted.name), 30)
        former = self._store.state.objects.get(str(wanted.key))
        adopted = former.adopted if former else True  # what rkx makes is in the state before it is made
        self._store.note_object(
            str(wanted.key), replace(record_of(self._store.state.key, wanted, live), adopted=adopted)
        )

    def _applied(self, wanted: Object) -> Live:
        """Apply an object, again and again while what is in its way may pass; other refusals are final."""
        since = time.monotonic()
        while True:
            try:
                return self._api.apply(wanted)
            except ApiRefused as error:
                hint = next((hint for words, hint in PASSING.items() if words in error.message), "")
                if not hint:
                    raise
                if not self._budget.left(since, self._desired.cluster.addon_timeout_s):
                    raise NotReady(error.message, hint=hint) from error
            if self._budget.cancelled.wait(PASSING_POLL_S):
                raise Interrupted(f"cancelled while {wanted.key} was not taken yet")

    def _until_let_in(self, wanted: Object) -> None:
        """Wait until what the API server has stored takes effect, some moments later."""
        since = time.monotonic()
        while not self._api.is_let_in():
            if not self._budget.left(since, RIGHTS_TIMEOUT_S):
                raise NotReady(
                    f"{wanted.key} is applied, and rkx's own user does not have full access yet",
                    hint="look at the ClusterRole that it names, and at authorization webhooks",
                )
            if self._budget.cancelled.wait(POLL_S):
                raise Interrupted(f"cancelled while waiting for {wanted.key} to take effect")

    def _delete(self, key: ObjectKey) -> None:
        self._api.delete(self._store.state.objects[str(key)])
        self._store.note_object(str(key), None)

    def _set_node(self, wanted: NodeMetadata) -> None:
        """Set a Node's labels and taints once it is registered; others' stay."""
        key = str(wanted.key)
        self._waits.until("/api/v1/nodes", wanted.node, lambda live: "" if live else "is not registered", key)
        path = f"/api/v1/nodes/{wanted.node}"
        live = self._api.read(path) or {}
        taints = (taints_of(live) - former_taints(self._store.state, wanted.node)) | set(wanted.taints)
        gone = former_labels(self._store.state, wanted.node) - wanted.labels.keys()
        patch: dict[str, Any] = {"metadata": {"labels": {**dict.fromkeys(gone), **wanted.labels}}}
        if taints != taints_of(live):
            listed = [{"key": t.key, "value": t.value, "effect": t.effect} for t in sorted(taints)]
            patch["metadata"]["resourceVersion"] = of_api(live, key).table("metadata").text("resourceVersion")
            patch["spec"] = {"taints": listed}
        self._api.merge(path, patch)
        taken = {
            "taints": [astuple(taint) for taint in sorted(wanted.taints)],
            "labels": sorted(wanted.labels),
        }
        shown = json.dumps(taken)
        record = ObjectRecord(api_version="v1", kind="Node", namespace="", name=wanted.node, live=shown)
        self._store.note_object(key, record)
