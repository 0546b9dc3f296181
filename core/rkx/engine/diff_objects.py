"""Cluster objects, wanted and live, as actions. Reads by GET alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from rkx.engine import digest, told
from rkx.engine.answers import of_api
from rkx.engine.desire import Desired, registrations
from rkx.engine.glance import Glance
from rkx.engine.health import unhealthy, workload
from rkx.engine.ledger import Ledger
from rkx.engine.objects import projection
from rkx.engine.told import DATED
from rkx.model.node import Taint
from rkx.model.plan import Action
from rkx.model.resource import Key, Object, Registration

FIRST = ("Namespace", "CustomResourceDefinition.apiextensions.k8s.io")
GRAVE = (*FIRST, "PersistentVolumeClaim", "PersistentVolume")


def ready_key(kind: str, namespace: str, name: str) -> Key:
    """Name the wait for something to become healthy."""
    return Key("", "Health", f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}")


def diff_objects(desired: Desired, glance: Glance, ledger: Ledger, *, partial: bool = False) -> list[Action]:
    """Compare every object with what the API shows; raises ApiSilent when it does not answer.

    With ``partial`` some nodes are not reachable, and pods on them may be what ails a workload: only those are waited
    for that the run changes, and none that runs on every node.
    """
    nodes, wanted = glance.nodes(), list(desired.objects.values())
    pairs = zip(wanted, glance.live(wanted), strict=True)
    actions = [action for each, live in pairs if (action := _object(each, live, ledger))]
    actions += _told_anew(desired, actions)
    of_nodes = [a for each in registrations(desired) for a in _node(each, nodes.get(each.node, {}), ledger)]
    coming = tuple(action.key for action in of_nodes if action.verb == "await")
    waits = list(_rollouts(desired, glance, actions, coming, partial=partial))
    actions += [*_pruned(desired, ledger), *of_nodes]
    return [_ordered(action, desired, actions) for action in actions] + waits


def _told_anew(desired: Desired, actions: Sequence[Action]) -> Iterator[Action]:
    """Tell of certificates that this run makes: when they will end is not known yet."""
    issued = any(desired.identities[due.identity].kind in DATED for due in desired.due)
    if issued and told.KEY in desired.objects and told.KEY not in {action.key for action in actions}:
        yield Action(verb="update", key=told.KEY, reason="certificates are issued anew")


def is_grave(action: Action) -> bool:
    """Tell if an action deletes an object with which other things go."""
    return action.verb == "remove" and action.key.kind in GRAVE


def _object(wanted: Object, live: Mapping[str, Any] | None, ledger: Ledger) -> Action | None:
    if live is None:
        return Action(verb="create", key=wanted.key, reason="missing", owner=wanted.owner)
    record = ledger.state.objects.get(str(wanted.key))
    if record is None:
        return Action(verb="update", key=wanted.key, reason="was not applied by this state", owner=wanted.owner)
    if record.wanted != digest.of_object(ledger.key, wanted):
        return Action(verb="update", key=wanted.key, reason="manifest changed", owner=wanted.owner)
    shown = json.dumps(projection(live, wanted.body), sort_keys=True).encode()
    if record.live != digest.keyed(ledger.key, shown):
        return Action(verb="update", key=wanted.key, reason="was changed by somebody else", owner=wanted.owner)
    return None


def _rollouts(
    desired: Desired, glance: Glance, actions: Sequence[Action], coming: tuple[Key, ...], *, partial: bool
) -> Iterator[Action]:
    """Wait for workloads that are changed or sick, and for the pods of those that every node gets, on new nodes too."""
    rollouts = [each for each in desired.rollouts if not (partial and each[0].kind == "DaemonSet")]
    lives = glance.live([workload(rollout) for rollout, _ in rollouts])
    for (rollout, owner), live in zip(rollouts, lives, strict=True):
        key = ready_key(rollout.kind, rollout.namespace, rollout.name)
        mine = tuple(a.key for a in actions if a.key.name in (f"{rollout.namespace}/{rollout.name}", rollout.name))
        spreads = coming if rollout.kind == "DaemonSet" else ()
        if partial and not mine:
            continue
        why = "is changed" if mine else unhealthy(rollout.kind, live or {}) or ("nodes come" if spreads else "")
        if why:
            yield Action(verb="await", key=key, reason=why, owner=owner, after=(*mine, *spreads))


def _pruned(desired: Desired, ledger: Ledger) -> Iterator[Action]:
    for _, record in sorted(ledger.state.objects.items()):
        if record.kind != "Node" and record.key not in desired.objects and not record.adopted:
            yield Action(verb="remove", key=record.key, reason="no longer wanted")


def _node(wanted: Registration, live: Mapping[str, Any], ledger: Ledger) -> Iterator[Action]:
    why = label_difference(wanted, live, ledger) or taint_difference(wanted, live, ledger)
    changed = (wanted.key,) if why else ()
    if why:
        yield Action(verb="update", key=wanted.key, reason=why, owner=wanted.owner)
    if sick := unhealthy("Node", live):
        yield Action(
            verb="await", key=ready_key("Node", "", wanted.node), reason=sick, owner=wanted.owner, after=changed
        )


def label_difference(wanted: Registration, live: Mapping[str, Any], ledger: Ledger) -> str:
    """Name a label that differs, or that rkx set earlier and nobody wants any more."""
    labels = of_api(live, f"Node {wanted.node}").table("metadata").labels("labels")
    differs = [f"label {name} differs" for name, value in wanted.labels.items() if labels.get(name) != value]
    former = former_labels(ledger, wanted.node) - wanted.labels.keys()
    return next(iter([*differs, *(f"label {name} is no longer wanted" for name in sorted(former & labels.keys()))]), "")


def taint_difference(wanted: Registration, live: Mapping[str, Any], ledger: Ledger) -> str:
    """Name a taint that is missing, or that rkx set earlier and nobody wants any more."""
    there = taints_of(live)
    for taint in wanted.taints:
        if taint not in there:
            return f"taint {taint.key} is missing"
    former = former_taints(ledger, wanted.node)
    return next((f"taint {t.key} is no longer wanted" for t in sorted(former & there - set(wanted.taints))), "")


def taints_of(live: Mapping[str, Any]) -> set[Taint]:
    """Read a Node's taints."""
    found = of_api(live, "Node").table("spec").rows("taints")
    return {Taint(key=t.text("key"), value=t.text("value", ""), effect=t.text("effect")) for t in found}


def former_taints(ledger: Ledger, node: str) -> set[Taint]:
    """Recall the taints that rkx wanted last."""
    return {Taint(key=key, value=value, effect=effect) for key, value, effect in _former(ledger, node)["taints"]}


def former_labels(ledger: Ledger, node: str) -> set[str]:
    """Recall the labels that rkx wanted last, by name."""
    return set(_former(ledger, node)["labels"])


def _former(ledger: Ledger, node: str) -> dict[str, Any]:
    record = ledger.state.objects.get(str(Key("", "Node", node)))
    found: dict[str, Any] = json.loads(record.live) if record and record.live else {"taints": [], "labels": []}
    return found


def _ordered(action: Action, desired: Desired, actions: list[Action]) -> Action:
    """Let namespaces and definitions go before everything else, but for what gives rkx's own user its rights."""
    wanted = desired.objects.get(action.key)
    if action.key.kind in FIRST or action.verb == "remove" or wanted is None or wanted.grants:
        return action
    first = tuple(other.key for other in actions if other.key.kind in FIRST and other.verb != "remove")
    return replace(action, after=(*action.after, *first))
