"""An object in the cluster that says when its certificates end, for whoever looks after it without rkx."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime

from rkx.model.identity import Identity
from rkx.model.manifest import Object, object_key
from rkx.model.milestone import API_READY
from rkx.reconcile.state import State

NAMESPACE, NAME = "kube-system", "rkx-certificates"
KEY = object_key("v1", "ConfigMap", NAMESPACE, NAME)
DATED = ("authority", "leaf")


def told(identities: Iterable[Identity], state: State) -> Object:
    """Describe the ConfigMap: which end comes first, and all of them, but for what its holder renews by itself."""
    ends = [(end, each.name, each) for each in identities if (end := _end(each, state)) is not None]
    listed = [
        {"name": name, "node": each.node, "authority": each.authority, "notAfter": _text(end)}
        for end, name, each in sorted(ends, key=lambda row: row[:2])
    ]
    data = {"first-end": listed[0]["notAfter"] if listed else "", "certificates.json": json.dumps(listed, indent=1)}
    body = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": NAME, "namespace": NAMESPACE},
        "data": data,
    }
    return Object(
        api_version="v1",
        kind="ConfigMap",
        namespace=NAMESPACE,
        name=NAME,
        body=body,
        after=(API_READY,),
        where="what rkx tells of certificates",
    )


def _end(identity: Identity, state: State) -> datetime | None:
    credential = state.credentials.get(identity.name)
    return None if credential is None or identity.life == "self-renewed" else credential.saved.not_after


def _text(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
