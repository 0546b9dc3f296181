"""Cluster objects, wanted and live, as actions: compared as values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from msgspec.structs import replace
from tests.core.reconcile.values import NO_OBJECTS, STATE, desired

import rkx
from rkx.model.action import CreateObject, DeleteObject, SetNodeMetadata, UpdateObject, WaitForHealth, WaitForNode
from rkx.model.key import Key, ObjectKey
from rkx.reconcile import digest
from rkx.reconcile.desired import Desired
from rkx.reconcile.diff_objects import diff_objects, is_grave
from rkx.reconcile.observation import Live, ObjectSnapshot
from rkx.reconcile.state import ObjectRecord, State

READY = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}


def made(kind: str, name: str, *, version: str = "v1", namespace: str = "", **body: Any) -> rkx.Object:  # noqa: ANN401
    whole = {"apiVersion": version, "kind": kind, "metadata": {"name": name}, **body}
    return rkx.Object(
        api_version=version, kind=kind, namespace=namespace, name=name, body=whole, manifest="m", owner="addon:m"
    )


SPACE = made("Namespace", "tiny")
SETTINGS = made("ConfigMap", "settings", namespace="tiny", data={"colour": "blue"})
AGENTS = made("DaemonSet", "agents", version="apps/v1", namespace="tiny")
HEALTH = rkx.HealthCheck(kind="DaemonSet", namespace="tiny", name="agents")
NODE = rkx.NodeMetadata(node="one", labels={"role": "worker"}, taints=(), owner="service:tiny")


def wanting(*objects: rkx.Object, health_checks: tuple[rkx.HealthCheck, ...] = ()) -> Desired:
    return replace(
        desired(),
        objects={each.key: each for each in objects},
        health_checks=tuple((each, "addon:m") for each in health_checks),
    )


def live(objects: Mapping[ObjectKey, Live], nodes: Mapping[str, Mapping[str, Any]] | None = None) -> ObjectSnapshot:
    return ObjectSnapshot(nodes=nodes or {}, live=objects)


def applied(*objects: rkx.Object, adopted: bool = False) -> State:
    records = {
        str(each.key): ObjectRecord(
            api_version=each.api_version,
            kind=each.kind,
            namespace=each.namespace,
            name=each.name,
            wanted=digest.of_object(STATE.key, each),
            live=digest.keyed(STATE.key, json.dumps(each.body, sort_keys=True).encode()),
            adopted=adopted,
        )
        for each in objects
    }
    return replace(STATE, objects=records)


def test_what_was_applied_and_is_so_needs_nothing() -> None:
    assert diff_objects(wanting(SETTINGS), live({SETTINGS.key: SETTINGS.body}), applied(SETTINGS)) == []


@pytest.mark.parametrize(
    ("state", "found", "why"),
    [
        (STATE, SETTINGS.body, "was not applied by this state"),
        (applied(replace(SETTINGS, body={**SETTINGS.body, "data": {}})), SETTINGS.body, "manifest changed"),
        (applied(SETTINGS), {**SETTINGS.body, "data": {"colour": "red"}}, "was changed by another client"),
    ],
)
def test_what_differs_is_applied_and_says_why(state: State, found: dict[str, Any], why: str) -> None:
    assert diff_objects(wanting(SETTINGS), live({SETTINGS.key: found}), state) == [
        UpdateObject(key=SETTINGS.key, reason=why, owner="addon:m")
    ]


def test_a_namespace_goes_before_what_is_in_it() -> None:
    found = diff_objects(wanting(SETTINGS, SPACE), live({SETTINGS.key: None, SPACE.key: None}), STATE)
    assert found == [
        CreateObject(
            key=SETTINGS.key,
            reason="missing",
            owner="addon:m",
            after=(SPACE.key,),
        ),
        CreateObject(key=SPACE.key, reason="missing", owner="addon:m"),
    ]


@pytest.mark.parametrize("adopted", [True, False])
def test_what_nobody_wants_is_deleted_unless_it_was_there_before(*, adopted: bool) -> None:
    delete = DeleteObject(key=SETTINGS.key, reason="no longer wanted")
    assert diff_objects(wanting(), NO_OBJECTS, applied(SETTINGS, adopted=adopted)) == ([] if adopted else [delete])


@pytest.mark.parametrize(("each", "grave"), [(SPACE, True), (SETTINGS, False)])
def test_what_takes_others_with_it_is_asked_for(each: rkx.Object, *, grave: bool) -> None:
    assert is_grave(DeleteObject(key=each.key, reason="")) is grave


def test_a_nodes_labels_are_set_once_it_is_there_and_it_is_waited_for() -> None:
    wanted = replace(wanting(), resources={NODE.key: NODE})
    assert diff_objects(wanted, live({}, {"one": {}}), STATE) == [
        SetNodeMetadata(key=NODE.key, reason="label role differs", owner="service:tiny"),
        WaitForNode(node="one", reason="is not there", owner="service:tiny", after=(NODE.key,)),
    ]
    assert diff_objects(wanted, live({}, {"one": {"metadata": {"labels": dict(NODE.labels)}, **READY}}), STATE) == []


@pytest.mark.parametrize("partial", [True, False])
def test_a_daemon_set_is_waited_for_where_nodes_come_but_not_while_some_are_away(*, partial: bool) -> None:
    wanted = replace(wanting(AGENTS, health_checks=(HEALTH,)), resources={NODE.key: NODE})
    status = {"desiredNumberScheduled": 1, "updatedNumberScheduled": 1, "numberAvailable": 1}
    found = diff_objects(
        wanted, live({AGENTS.key: {**AGENTS.body, "status": status}}, {"one": {}}), applied(AGENTS), partial=partial
    )
    waits = [each for each in found if isinstance(each, WaitForHealth)]
    coming: tuple[Key, ...] = tuple(each.key for each in found if isinstance(each, WaitForNode))
    wait = WaitForHealth(check=HEALTH, reason="nodes come", owner="addon:m", after=coming)
    assert waits == ([] if partial else [wait])
