"""Cluster objects, wanted and live, as actions. Reads by GET alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any

from msgspec.structs import replace

from rkx.model.action import (
    Action,
    ApplyObject,
    CreateObject,
    DeleteObject,
    ObjectAction,
    SetNodeMetadata,
    UpdateObject,
    WaitForHealth,
    WaitForNode,
)
from rkx.model.key import Key, NodeKey, ObjectKey
from rkx.model.manifest import Object
from rkx.model.node import Taint
from rkx.model.resource import NodeMetadata
from rkx.reconcile import digest, told
from rkx.reconcile.answers import of_api
from rkx.reconcile.desired import Desired, node_metadata
from rkx.reconcile.health import unhealthy
from rkx.reconcile.objects import projection
from rkx.reconcile.observation import ObjectSnapshot
from rkx.reconcile.state import State
from rkx.reconcile.told import DATED

FIRST = (("", "Namespace"), ("apiextensions.k8s.io", "CustomResourceDefinition"))
"""Group and kind of what all others may need."""
GRAVE = (*FIRST, ("", "PersistentVolumeClaim"), ("", "PersistentVolume"))


def diff_objects(
    desired: Desired, objects: ObjectSnapshot, state: State, *, partial: bool = False
) -> list[ObjectAction | WaitForNode | WaitForHealth]:
    """Compare every object with what the API shows.

    With ``partial`` some nodes are not reachable, and pods on them may be what ails a workload: only those are waited
    for that the run changes, and none that runs on every node.
    """
    wanted = desired.objects.values()
    applied = [action for each in wanted if (action := _object(each, objects.live[each.key], state))]
    applied += _told_anew(desired, applied)
    of_nodes = [a for each in node_metadata(desired) for a in _node(each, objects.nodes.get(each.node, {}), state)]
    coming = tuple(action.key for action in of_nodes if isinstance(action, WaitForNode))
    waits = _health(desired, objects, applied, coming, partial=partial)
    grants = {each.key for each in wanted if each.grants}
    return [*(_ordered(action, applied, grants) for action in applied), *_pruned(desired, state), *of_nodes, *waits]


def _told_anew(desired: Desired, actions: Sequence[ApplyObject]) -> Iterator[UpdateObject]:
    """Tell of certificates that this run makes: when they will end is not known yet."""
    issued = any(desired.identities[due.identity].kind in DATED for due in desired.renewals)
    if issued and told.KEY in desired.objects and told.KEY not in {action.key for action in actions}:
        yield UpdateObject(key=told.KEY, reason="certificates are reissued")


def is_grave(action: Action) -> bool:
    """Return whether an action deletes an object with which other things go."""
    return isinstance(action, DeleteObject) and (action.key.group, action.key.kind) in GRAVE


def _object(wanted: Object, live: Mapping[str, Any] | None, state: State) -> ApplyObject | None:
    word = digest.of_object(state.key, wanted)
    if live is None:
        return CreateObject(key=wanted.key, reason="missing", owner=wanted.owner)
    why = _drift(wanted, word, live, state)
    return UpdateObject(key=wanted.key, reason=why, owner=wanted.owner) if why else None


def _drift(wanted: Object, word: str, live: Mapping[str, Any], state: State) -> str:
    record = state.objects.get(str(wanted.key))
    if record is None:
        return "was not applied by this state"
    if record.wanted != word:
        return "manifest changed"
    shown = json.dumps(projection(live, wanted.body), sort_keys=True).encode()
    return "" if record.live == digest.keyed(state.key, shown) else "was changed by another client"


def _health(
    desired: Desired, objects: ObjectSnapshot, actions: Sequence[ApplyObject], coming: tuple[Key, ...], *, partial: bool
) -> Iterator[WaitForHealth]:
    """Wait for workloads that are changed or sick, and for the pods of those that every node gets, on new nodes too."""
    health_checks = [each for each in desired.health_checks if not (partial and each[0].kind == "DaemonSet")]
    changed = {action.key for action in actions}
    for check, owner in health_checks:
        mine = (check.key,) if check.key in changed else ()
        spreads = coming if check.kind == "DaemonSet" else ()
        if partial and not mine:
            continue
        why = (
            "is changed"
            if mine
            else unhealthy(check.kind, objects.live[check.key] or {}) or ("nodes come" if spreads else "")
        )
        if why:
            yield WaitForHealth(check=check, reason=why, owner=owner, after=(*mine, *spreads))


def _pruned(desired: Desired, state: State) -> Iterator[DeleteObject]:
    for _, record in sorted(state.objects.items()):
        if record.kind != "Node" and record.key not in desired.objects and not record.adopted:
            yield DeleteObject(key=record.key, reason="no longer wanted")


def _node(wanted: NodeMetadata, live: Mapping[str, Any], state: State) -> Iterator[SetNodeMetadata | WaitForNode]:
    why = label_difference(wanted, live, state) or taint_difference(wanted, live, state)
    changed = (wanted.key,) if why else ()
    if why:
        yield SetNodeMetadata(key=wanted.key, reason=why, owner=wanted.owner)
    if sick := unhealthy("Node", live):
        yield WaitForNode(node=wanted.node, reason=sick, owner=wanted.owner, after=changed)


def label_difference(wanted: NodeMetadata, live: Mapping[str, Any], state: State) -> str:
    """Name a label that differs, or that rkx set earlier and is no longer wanted."""
    labels = of_api(live, f"Node {wanted.node}").table("metadata").labels("labels")
    differs = [f"label {name} differs" for name, value in wanted.labels.items() if labels.get(name) != value]
    former = former_labels(state, wanted.node) - wanted.labels.keys()
    return next(iter([*differs, *(f"label {name} is no longer wanted" for name in sorted(former & labels.keys()))]), "")


def taint_difference(wanted: NodeMetadata, live: Mapping[str, Any], state: State) -> str:
    """Name a taint that is missing, or that rkx set earlier and is no longer wanted."""
    there = taints_of(live)
    for taint in wanted.taints:
        if taint not in there:
            return f"taint {taint.key} is missing"
    former = former_taints(state, wanted.node)
    return next((f"taint {t.key} is no longer wanted" for t in sorted(former & there - set(wanted.taints))), "")


def taints_of(live: Mapping[str, Any]) -> set[Taint]:
    """Read a Node's taints."""
    found = of_api(live, "Node").table("spec").rows("taints")
    return {Taint(key=t.text("key"), value=t.text("value", ""), effect=t.text("effect")) for t in found}


def former_taints(state: State, node: str) -> set[Taint]:
    """Recall the taints that rkx wanted last."""
    return {Taint(key=key, value=value, effect=effect) for key, value, effect in _former(state, node)["taints"]}


def former_labels(state: State, node: str) -> set[str]:
    """Recall the labels that rkx wanted last, by name."""
    return set(_former(state, node)["labels"])


def _former(state: State, node: str) -> dict[str, Any]:
    record = state.objects.get(str(NodeKey(node)))
    found: dict[str, Any] = json.loads(record.live) if record and record.live else {"taints": [], "labels": []}
    return found


def _ordered(action: ApplyObject, actions: Sequence[ApplyObject], grants: Set[ObjectKey]) -> ApplyObject:
    """Let namespaces and definitions go before everything else, but for what gives rkx's own user its rights."""
    if _is_first(action) or action.key in grants:
        return action
    return replace(action, after=(*action.after, *(other.key for other in actions if _is_first(other))))


def _is_first(action: ApplyObject) -> bool:
    return (action.key.group, action.key.kind) in FIRST
