"""Objects of the cluster: list, read, apply on the server's side, delete; and digests of what they were given."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Generator, Mapping
from http import HTTPStatus
from typing import Any

from rkx.errors import ApiRefused
from rkx.model.identity import SUPER_ADMIN
from rkx.model.manifest import Object
from rkx.reconcile import digest
from rkx.reconcile.answers import Said, last_words, of_api, parsed
from rkx.reconcile.api_client import ApiClient, body_of, checked
from rkx.reconcile.bounds import PROBE
from rkx.reconcile.manifests import field_at
from rkx.reconcile.sessions import Answer
from rkx.reconcile.state import ObjectRecord

MANAGER = "rkx"
TEXT_CHARACTERS = 800
MAY = {"verb": "*", "group": "*", "resource": "*"}
"""What rkx's own user must be allowed: the manifests of users hold anything, and grant anything."""


class ClusterApi:
    """The cluster's objects, through an ``ApiClient``; usable from any thread."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client
        self._kinds: dict[str, dict[str, tuple[str, bool]]] = {}
        self._asking: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def is_let_in(self) -> bool:
        """Ask as rkx's own user, if there is one, whether it may do everything: then super-admin is needed no more."""
        if not self._client.has_own_user:
            return True
        asked = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview"}
        body = {**asked, "spec": {"resourceAttributes": MAY}}
        answer = self.create("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", body)
        said = of_api(body_of(answer, "review") if answer.ok else {}, "review")
        allowed = said.table("status").flag("allowed")
        self._client.note_rights(allowed=allowed)
        return allowed

    def read(self, path: str, **params: str) -> dict[str, Any] | None:
        """GET a path; None if nothing is there."""
        answer = self._client.ask("GET", path, params=params)
        if answer.status == HTTPStatus.NOT_FOUND:
            return None
        return body_of(answer, path)

    def listed(self, path: str, **params: str) -> list[Said]:
        """GET a list; an empty one if nothing is there."""
        return of_api(self.read(path, **params) or {}, path).rows("items")

    def path(self, api_version: str, kind: str, namespace: str, name: str) -> str:
        """Find an object's path by discovery."""
        plural, namespaced = self._discover(api_version, kind)
        inside = f"/namespaces/{namespace or 'default'}" if namespaced else ""
        return f"{_root(api_version)}{inside}/{plural}/{name}"

    def _discover(self, api_version: str, kind: str) -> tuple[str, bool]:
        with self._asking[api_version]:
            if kind not in self._kinds.get(api_version, {}):
                listed = of_api(self.read(_root(api_version)) or {}, api_version).rows("resources")
                every = [(r.text("kind"), r.text("name"), r.flag("namespaced")) for r in listed]
                self._kinds[api_version] = {kind: (name, inside) for kind, name, inside in every if "/" not in name}
        if kind not in self._kinds[api_version]:
            raise ApiRefused(
                f"the API server knows no {kind} in {api_version}",
                status=404,
                hint="check apiVersion and kind, or add the CustomResourceDefinition that defines it",
            )
        return self._kinds[api_version][kind]

    def live(self, wanted: Object | ObjectRecord) -> dict[str, Any] | None:
        """Read an object as it is; None if it, or its whole kind, is not there."""
        try:
            return self.read(self.path(wanted.api_version, wanted.kind, wanted.namespace, wanted.name))
        except ApiRefused as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise

    def apply(self, wanted: Object) -> dict[str, Any]:
        """Apply an object on the server's side, as field manager ``rkx``; unknown fields are refused."""
        path = self.path(wanted.api_version, wanted.kind, wanted.namespace, wanted.name)
        answer = self._apply(path, wanted)
        if answer.status == HTTPStatus.UNPROCESSABLE_ENTITY and self._has_other_role(path, wanted):
            self.delete(wanted)  # a binding's role is immutable
            answer = self._apply(path, wanted)
        return body_of(answer, f"{wanted.key} ({wanted.where})")

    def _apply(self, path: str, wanted: Object) -> Answer:
        params = {"fieldManager": MANAGER, "force": "true", "fieldValidation": "Strict"}
        kind, whom = "application/apply-patch+yaml", _whom(wanted)
        return self._client.ask("PATCH", path, body=wanted.body, kind=kind, whom=whom, params=params)

    def _has_other_role(self, path: str, wanted: Object) -> bool:
        roles = [field_at(each, "roleRef", "name") for each in (self.read(path), wanted.body)]
        return all(roles) and roles[0] != roles[1]

    def merge(self, path: str, patch: Mapping[str, Any]) -> dict[str, Any]:
        """Merge a patch into what is at a path."""
        return body_of(self._client.ask("PATCH", path, body=patch, kind="application/merge-patch+json"), path)

    def create(self, path: str, body: Mapping[str, Any]) -> Answer:
        """POST to a path and give the answer as it is."""
        return self._client.ask("POST", path, body=body)

    def log(self, namespace: str, pod: str, lines: int) -> str:
        """Return a pod's last lines, or what the API server says in their place: its node gives them, in any size."""
        params = {"tailLines": str(lines), "limitBytes": str(PROBE.size // 2)}
        path = f"/api/v1/namespaces/{namespace}/pods/{pod}/log"
        return last_words(self._client.ask("GET", path, params=params, limit=PROBE).content, TEXT_CHARACTERS)

    def delete_node(self, name: str) -> None:
        """Delete a Node; one that is gone is fine. ApiRefused where it is not deleted."""
        answer = self._client.ask("DELETE", f"/api/v1/nodes/{name}")
        if answer.status != HTTPStatus.NOT_FOUND:
            checked(answer, f"Node {name}")

    def delete(self, record: Object | ObjectRecord) -> None:
        """Delete an object and what depends on it; one that is gone is fine."""
        try:
            path = self.path(record.api_version, record.kind, record.namespace, record.name)
        except ApiRefused as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return
            raise
        answer = self._client.ask("DELETE", path, whom=_whom(record), params={"propagationPolicy": "Background"})
        if answer.status != HTTPStatus.NOT_FOUND:
            body_of(answer, path)

    def watch(self, path: str, name: str, timeout_s: float) -> Generator[dict[str, Any]]:
        """Return an object as it is and at each change, until ``timeout_s``; an empty mapping when it is deleted."""
        params = {"watch": "1", "fieldSelector": f"metadata.name={name}", "timeoutSeconds": str(max(1, int(timeout_s)))}
        answer = self._client.ask("GET", path, params=params, stream=True, timeout_s=timeout_s + 5)
        try:
            checked(answer, path)
            for line in answer.file():
                event = parsed(line, answer.node, path)
                if event.text("type") in ("ADDED", "MODIFIED"):
                    yield event.table("object").value
                elif event.text("type") == "DELETED":
                    yield {}
                else:
                    return
        finally:
            answer.close()


def _whom(each: Object | ObjectRecord) -> str:
    return SUPER_ADMIN if isinstance(each, Object) and each.grants else ""


def _root(api_version: str) -> str:
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"


def projection(live: Any, wanted: Any) -> Any:  # noqa: ANN401 - JSON
    """Keep of a live object only the fields that are wanted, in the API's own spelling of their values."""
    if isinstance(wanted, Mapping) and isinstance(live, Mapping):
        return {key: projection(live.get(key), value) for key, value in wanted.items()}
    if isinstance(wanted, list | tuple) and isinstance(live, list) and len(live) == len(wanted):
        return [projection(one, other) for one, other in zip(live, wanted, strict=True)]
    return live


def record_of(key: bytes, wanted: Object, live: Mapping[str, Any]) -> ObjectRecord:
    """Note what was wanted and how the API shows it, so that drift can be told from spelling."""
    shown = json.dumps(projection(live, wanted.body), sort_keys=True)
    return ObjectRecord(
        api_version=wanted.api_version,
        kind=wanted.kind,
        namespace=wanted.namespace,
        name=wanted.name,
        wanted=digest.of_object(key, wanted),
        live=digest.keyed(key, shown.encode()),
    )
