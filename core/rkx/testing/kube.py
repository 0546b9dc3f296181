"""An API server in memory: objects by their path, server-side apply without ownership, everything healthy at once."""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

from rkx.testing.machine import Effect
from rkx.testing.wire import Request, Response, as_json, error

Body = dict[str, Any]
CORE = "v1"
KINDS: dict[str, str] = {
    "v1": "Namespace! Node! Pod Service ServiceAccount ConfigMap Secret",
    "apps/v1": "Deployment DaemonSet StatefulSet",
    "batch/v1": "Job",
    "policy/v1": "PodDisruptionBudget",
    "rbac.authorization.k8s.io/v1": "ClusterRole! ClusterRoleBinding! Role RoleBinding",
    "apiregistration.k8s.io/v1": "APIService!",
    "apiextensions.k8s.io/v1": "CustomResourceDefinition!",
    "admissionregistration.k8s.io/v1": "ValidatingAdmissionPolicy! ValidatingAdmissionPolicyBinding!",
}
"""Kinds by their group and version; an exclamation mark for those that lie in no namespace."""
STATUS: dict[str, Body] = {
    "Deployment": {"updatedReplicas": 99, "availableReplicas": 99},
    "DaemonSet": {"desiredNumberScheduled": 99, "updatedNumberScheduled": 99, "numberAvailable": 99},
    "Pod": {"conditions": [{"type": "Ready", "status": "True"}]},
    "Node": {"conditions": [{"type": "Ready", "status": "True"}]},
    "APIService": {"conditions": [{"type": "Available", "status": "True"}]},
    "CustomResourceDefinition": {"conditions": [{"type": "Established", "status": "True"}]},
    "Job": {"conditions": [{"type": "Complete", "status": "True"}]},
}
"""What each kind's status becomes the moment it is applied; a test may change it."""
WATCH_S = 0.05
ADMIN = "cluster-admin"
OPEN = ("/readyz", "/healthz")
"""What everybody may ask for who has a name."""
MAY = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


def plural(kind: str) -> str:
    """Return a kind's name in paths."""
    return f"{kind[:-1]}ies" if kind.endswith("y") else f"{kind}es" if kind.endswith("s") else f"{kind}s"


class FakeKube:
    """Objects by path. ``held`` pods' paths may not be evicted; a patch of a path in ``refusals`` is answered
    500 with the next of its words.

    ``kubelets`` gives by node the start of the one that runs there, in one word: each registers its Node once.

    A client with a certificate needs a ClusterRoleBinding to cluster-admin, or the group ``system:masters``.
    """

    def __init__(self, effect: Effect, kubelets: Callable[[], dict[str, str]]) -> None:
        self.objects: dict[str, Body] = {}
        self.held: set[str] = set()
        self.refusals: dict[str, list[str]] = {}
        self.statuses = copy.deepcopy(STATUS)
        self._effect, self._kubelets = effect, kubelets
        self.registered: set[str] = set()
        self.revision = 0
        self._tick = threading.Event()

    def answer(self, request: Request) -> Response:
        """Answer one request."""
        self._register()
        path = request.path.rstrip("/")
        if path in OPEN:
            return Response(body=b"ok")
        if path == MAY:
            return as_json({"status": {"allowed": self._may(request)}}, 201)
        if not self._may(request):
            return error(403, f'{path} is forbidden: User "{request.user}" cannot {request.method.lower()} it')
        if request.method == "GET" and (group := path.removeprefix("/apis/").removeprefix("/api/")) in KINDS:
            return as_json({"resources": [_discovered(kind) for kind in KINDS[group].split()]})
        act = {"GET": self._get, "PATCH": self._patch, "DELETE": self._delete, "POST": self._post}
        return act[request.method](path, request)

    def _may(self, request: Request) -> bool:
        if not request.user or "system:masters" in request.groups:
            return True
        bindings = [body for body in [*self.objects.values()] if body["kind"] == "ClusterRoleBinding"]
        named = [subject for each in bindings if each["roleRef"]["name"] == ADMIN for subject in each["subjects"]]
        mine = {("User", request.user), *(("Group", group) for group in request.groups)}
        return any((subject["kind"], subject["name"]) in mine for subject in named)

    def _register(self) -> None:
        for name, start in self._kubelets().items():
            path = f"/api/v1/nodes/{name}"
            if start not in self.registered and path not in self.objects:
                self._store(path, {"apiVersion": CORE, "kind": "Node", "metadata": {"name": name}, "spec": {}})
            self.registered.add(start)

    def _store(self, path: str, body: Body) -> None:
        self.revision += 1
        former = self.objects.get(path, {"metadata": {}})
        generation = former["metadata"].get("generation", 0) + 1
        meta = {**body["metadata"], "resourceVersion": str(self.revision), "generation": generation}
        status = {"observedGeneration": generation, **self.statuses.get(body["kind"], {})}
        self.objects[path] = {**body, "metadata": meta, "status": status}

    def _get(self, path: str, request: Request) -> Response:
        if path.endswith("/serviceaccounts/default") and path not in self.objects:  # a controller makes them
            return as_json({"kind": "ServiceAccount", "metadata": {"name": "default"}})
        if path in self.objects:
            return as_json(self.objects[path])
        name = path.rpartition("/")[2]
        if not any(name == plural(kind.rstrip("!")).lower() for kinds in KINDS.values() for kind in kinds.split()):
            return error(404, f"{path} not found")
        if request.query.get("watch"):
            return Response(pieces=self._watched(path, request.query["fieldSelector"].partition("=")[2]))
        return as_json({"items": [body for each, body in sorted(self.objects.items()) if _in(each, path)]})

    def _watched(self, path: str, name: str) -> Iterator[bytes]:
        found = json.loads(self._get(f"{path}/{name}", Request(to="", method="GET", path=path)).body)
        if "metadata" in found:
            yield json.dumps({"type": "ADDED", "object": found}).encode() + b"\n"
        self._tick.wait(WATCH_S)

    def _patch(self, path: str, request: Request) -> Response:
        body = request.json
        if "kind" not in body:  # a merge patch; what is applied names its kind
            if path not in self.objects:
                return error(404, f"{path} not found")
            body = _merged(self.objects[path], body)
        if refusals := self.refusals.get(path):
            return error(500, refusals.pop(0))
        if body.get("roleRef") != self.objects.get(path, body).get("roleRef"):
            return error(422, f"{path} is invalid: roleRef: Invalid value: cannot change roleRef")
        self._effect(f"api patch {path}", lambda: self._store(path, body))
        return as_json(self.objects[path])

    def _post(self, path: str, request: Request) -> Response:
        if path.endswith("/eviction"):
            gone = path.removesuffix("/eviction")
            if gone in self.held:
                return error(429, "Cannot evict pod as it would violate the pod's disruption budget.")
            self._effect(f"api evict {gone}", lambda: self._drop(gone))
        return as_json({}, 201)

    def _delete(self, path: str, _request: Request) -> Response:
        if path not in self.objects:
            return error(404, f"{path} not found")
        self._effect(f"api delete {path}", lambda: self._drop(path))
        return as_json({})

    def _drop(self, path: str) -> None:
        self.objects.pop(path, None)


def _discovered(kind: str) -> Body:
    name = kind.rstrip("!")
    return {"kind": name, "name": plural(name).lower(), "namespaced": name == kind}


def _in(each: str, collection: str) -> bool:
    """Return whether a path is of a collection, in one namespace or in all."""
    root, _, name = collection.rpartition("/")
    return each.rpartition("/")[0] == collection or (
        each.startswith(f"{root}/namespaces/") and each.split("/")[-2] == name and "/namespaces/" not in root
    )


def _merged(live: Body, patch: Body) -> Body:
    merged = dict(live)
    for name, value in patch.items():
        inner = live.get(name)
        merged[name] = _merged(inner, value) if isinstance(value, dict) and isinstance(inner, dict) else value
    return {name: value for name, value in merged.items() if value is not None}
