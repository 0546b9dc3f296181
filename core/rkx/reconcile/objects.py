"""Objects of the cluster: server-side apply, drift, pruning; the way to the API goes through the nodes."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import requests

from rkx.errors import ApiRefused, ApiSilent, BadAnswer, StreamRefused, TransportError
from rkx.lines import cut
from rkx.model.identity import INSTALLER, KUBERNETES_CA, SUPER_ADMIN
from rkx.model.resource import Object
from rkx.reconcile import digest
from rkx.reconcile.answers import Said, last_words, of_api, parsed, words
from rkx.reconcile.bounds import API as BOUND
from rkx.reconcile.bounds import Limit
from rkx.reconcile.link import Link
from rkx.reconcile.manifests import field_at
from rkx.reconcile.sessions import node_of
from rkx.reconcile.state import ObjectRecord
from rkx.reconcile.state_store import StateStore
from rkx.reconcile.tls_client import SERVER_NAME, https, tls_context

PORT = 6443
API = f"tcp:{SERVER_NAME}:{PORT}"
MANAGER = "rkx"
READY_TIMEOUT_S = 10.0
AT_MOST_RELAYED = 2
"""Streams of each of the two who ask, rkx's own user and super-admin, where sshd forbids forwarding: half of those
that the Docker Engine then has, as its own calls need the others, that which starts a relay among them."""
SILENT = (429, 502, 503, 504)
"""Answers that say nothing of what was asked for: the server is busy, or something before it answers."""
MAY = {"verb": "*", "group": "*", "resource": "*"}
"""What rkx's own user must be allowed: the manifests of users hold anything, and grant anything."""
LOG = "/log"
"""What a kubelet answers is passed on: its 403 says nothing of what rkx's own user may do."""
EVICTION = "/eviction"
"""There 429 means that a PodDisruptionBudget holds the pod."""


class ClusterApi:
    """The API server, asked through whichever control plane node answers; usable from any thread.

    It is asked as rkx's own user: as super-admin only before there is one, for what that one may not read, and where
    a call says so.
    """

    def __init__(self, links: Callable[[], Sequence[Link]], store: StateStore) -> None:
        self._links, self._store = links, store
        self._sessions: dict[tuple[str, str, Limit], requests.Session] = {}
        self._shut_out = False
        self._opening: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._ready: set[str] = set()
        self._kinds: dict[str, dict[str, tuple[str, bool]]] = {}
        self._asking: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def _session(self, link: Link, whom: str, limit: Limit) -> requests.Session:
        """Return the session that all threads share; where streams are few, one waits for another."""
        with self._opening[link.name]:
            if (link.name, whom, limit) not in self._sessions:
                context = tls_context(self._store, KUBERNETES_CA, whom)
                at_most = AT_MOST_RELAYED if link.is_narrow(API) else 0
                self._sessions[link.name, whom, limit] = https(link, PORT, context, at_most=at_most, limit=limit)
            return self._sessions[link.name, whom, limit]

    def _unready(self, link: Link, session: requests.Session) -> str:
        """Ask, until it is so once, if the API server can work: without its store each answer takes it a minute."""
        if link.name in self._ready:
            return ""
        answer = session.get("http://node/readyz", timeout=READY_TIMEOUT_S)
        if answer.status_code != requests.codes.ok:
            return f"{answer.status_code} {last_words(answer, 200)}"
        self._ready.add(link.name)
        return ""

    def ask(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        kind: str = "application/json",
        whom: str = "",
        limit: Limit = BOUND,
        **more: Any,  # noqa: ANN401
    ) -> requests.Response:
        """Send one request; ApiSilent when no API server takes it. ``whom`` is empty for rkx's own user."""
        asking = whom or self._whom(method)
        answer = self._ask(asking, method, path, None if body is None else json.dumps(body), kind, limit, more)
        may_tell = method == "GET" and asking == INSTALLER and not path.endswith(LOG)
        if may_tell and answer.status_code == requests.codes.forbidden:
            answer.close()
            self._shut_out = True
            return self.ask(method, path, kind=kind, limit=limit, **more)
        return answer

    def _whom(self, method: str) -> str:
        """Choose who asks. Super-admin reads where rkx's own user may not, so that a plan can say what to repair."""
        shut_out = self._shut_out and method == "GET"
        return SUPER_ADMIN if shut_out or INSTALLER not in self._store.state.credentials else INSTALLER

    def _ask(
        self, whom: str, method: str, path: str, content: str | None, kind: str, limit: Limit, more: Mapping[str, Any]
    ) -> requests.Response:
        if not {KUBERNETES_CA, whom} <= self._store.state.credentials.keys():
            raise ApiSilent("the cluster has no credentials yet")
        why: object = "no control plane node is reachable"
        for link in self._links():
            try:
                session = self._session(link, whom, limit)
                if why := self._unready(link, session):
                    continue
                headers = {"Content-Type": kind}
                answer = session.request(method, f"http://node{path}", data=content, headers=headers, **more)
            except (requests.RequestException, OSError, StreamRefused, TransportError) as error:
                why = error
            else:
                if answer.status_code not in SILENT or path.endswith(EVICTION):
                    return answer
                why = f"{answer.status_code} {words(answer)[:200]}"
        raise ApiSilent(f"no API server answers: {cut(str(why))}", hint="rkx up repairs it")

    def is_let_in(self) -> bool:
        """Ask as rkx's own user, if there is one, whether it may do everything: then super-admin is needed no more."""
        if INSTALLER not in self._store.state.credentials:
            return True
        asked = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview"}
        body = {**asked, "spec": {"resourceAttributes": MAY}}
        answer = self.create("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", body)
        said = of_api(self._checked(answer, "review") if answer.ok else {}, "review")
        self._shut_out = not said.table("status").flag("allowed")
        for key in [key for key in [*self._sessions] if key[1] == SUPER_ADMIN and not self._shut_out]:
            self._sessions.pop(key).close()  # streams may be few
        return not self._shut_out

    def close(self) -> None:
        """Close all connections."""
        for session in [*self._sessions.values()]:  # one that still looks may add its own
            session.close()

    def read(self, path: str, **params: str) -> dict[str, Any] | None:
        """GET a path; None if nothing is there."""
        answer = self.ask("GET", path, params=params)
        if answer.status_code == requests.codes.not_found:
            return None
        return self._checked(answer, path)

    @staticmethod
    def _ok(answer: requests.Response, what: str) -> None:
        if not answer.ok:
            raise ApiRefused(
                f"{what}: the API server answered {answer.status_code}: {_reason(answer)}", status=answer.status_code
            )

    def _checked(self, answer: requests.Response, what: str) -> dict[str, Any]:
        self._ok(answer, what)
        found = parsed(answer.content, node_of(answer), what)
        if not isinstance(found.value, dict):
            raise BadAnswer(f"{node_of(answer)}: {what}: the answer is not a JSON object", node=node_of(answer))
        return found.value

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
            if error.status == requests.codes.not_found:
                return None
            raise

    def apply(self, wanted: Object) -> dict[str, Any]:
        """Apply an object on the server's side, as field manager ``rkx``; unknown fields are refused."""
        path = self.path(wanted.api_version, wanted.kind, wanted.namespace, wanted.name)
        answer = self._apply(path, wanted)
        if answer.status_code == requests.codes.unprocessable and self._has_other_role(path, wanted):
            self.delete(wanted)  # a binding's role is immutable
            answer = self._apply(path, wanted)
        return self._checked(answer, f"{wanted.key} ({wanted.where})")

    def _apply(self, path: str, wanted: Object) -> requests.Response:
        params = {"fieldManager": MANAGER, "force": "true", "fieldValidation": "Strict"}
        kind, whom = "application/apply-patch+yaml", _whom(wanted)
        return self.ask("PATCH", path, body=wanted.body, kind=kind, whom=whom, params=params)

    def _has_other_role(self, path: str, wanted: Object) -> bool:
        roles = [field_at(each, "roleRef", "name") for each in (self.read(path), wanted.body)]
        return all(roles) and roles[0] != roles[1]

    def merge(self, path: str, patch: Mapping[str, Any]) -> dict[str, Any]:
        """Merge a patch into what is at a path."""
        return self._checked(self.ask("PATCH", path, body=patch, kind="application/merge-patch+json"), path)

    def create(self, path: str, body: Mapping[str, Any]) -> requests.Response:
        """POST to a path and give the answer as it is."""
        return self.ask("POST", path, body=body)

    def delete(self, record: Object | ObjectRecord) -> None:
        """Delete an object and what depends on it; one that is gone is fine."""
        try:
            path = self.path(record.api_version, record.kind, record.namespace, record.name)
        except ApiRefused as error:
            if error.status == requests.codes.not_found:
                return
            raise
        answer = self.ask("DELETE", path, whom=_whom(record), params={"propagationPolicy": "Background"})
        if answer.status_code != requests.codes.not_found:
            self._checked(answer, path)

    def watch(self, path: str, name: str, timeout_s: float) -> Generator[dict[str, Any]]:
        """Return an object as it is and at each change, until ``timeout_s``; an empty mapping when it is deleted."""
        params = {"watch": "1", "fieldSelector": f"metadata.name={name}", "timeoutSeconds": str(max(1, int(timeout_s)))}
        answer = self.ask("GET", path, params=params, stream=True, timeout=timeout_s + 5)
        try:
            self._ok(answer, path)
            for line in answer.iter_lines():
                event = parsed(line, node_of(answer), path)
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


def _reason(answer: requests.Response) -> str:
    with suppress(BadAnswer):
        return parsed(answer.content, "", "").words("message")
    return words(answer)[:300]


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
