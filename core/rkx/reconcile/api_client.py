"""The way to the API server: through whichever control plane node answers."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from rkx.errors import ApiRefused, ApiSilent, BadAnswer, StreamRefused, TransportError
from rkx.lines import cut
from rkx.model.identity import INSTALLER, KUBERNETES_CA, SUPER_ADMIN
from rkx.reconcile.answers import last_words, parsed, refusal, words
from rkx.reconcile.bounds import API as BOUND
from rkx.reconcile.bounds import Limit
from rkx.reconcile.link import Link
from rkx.reconcile.sessions import Answer, Session
from rkx.reconcile.state_store import StateStore
from rkx.reconcile.tls_client import SERVER_NAME, https, tls_context

PORT = 6443
API = f"tcp:{SERVER_NAME}:{PORT}"
READY_TIMEOUT_S = 10.0
AT_MOST_RELAYED = 2
"""Streams of each of the two who ask, rkx's own user and super-admin, where sshd forbids forwarding: half of those
that the Docker Engine then has, as its own calls need the others, that which starts a relay among them."""
SILENT = (429, 502, 503, 504)
"""Answers that say nothing of what was asked for: the server is busy, or something before it answers."""
LOG = "/log"
"""What a kubelet answers is passed on: its 403 says nothing of what rkx's own user may do."""
EVICTION = "/eviction"
"""There 429 means that a PodDisruptionBudget holds the pod."""


class ApiClient:
    """Sends requests to the API server; usable from any thread.

    It asks as rkx's own user: as super-admin only before there is one, for what that one may not read, and where a
    call says so.
    """

    def __init__(self, links: Callable[[], Sequence[Link]], store: StateStore) -> None:
        self._links, self._store = links, store
        self._sessions: dict[tuple[str, str, Limit], Session] = {}
        self._shut_out = False
        self._opening: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._ready: set[str] = set()

    @property
    def has_own_user(self) -> bool:
        """Return whether there is a user of rkx's own."""
        return INSTALLER in self._store.state.credentials

    def note_rights(self, *, allowed: bool) -> None:
        """Note whether rkx's own user may do everything: then super-admin is needed no more."""
        self._shut_out = not allowed
        for key in [key for key in [*self._sessions] if key[1] == SUPER_ADMIN and allowed]:
            self._sessions.pop(key).close()  # streams may be few

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
    ) -> Answer:
        """Send one request; ApiSilent when no API server takes it. ``whom`` is empty for rkx's own user."""
        asking = whom or self._whom(method)
        answer = self._ask(asking, method, path, None if body is None else json.dumps(body).encode(), kind, limit, more)
        may_tell = method == "GET" and asking == INSTALLER and not path.endswith(LOG)
        if may_tell and answer.status == HTTPStatus.FORBIDDEN:
            answer.close()
            self._shut_out = True
            return self.ask(method, path, kind=kind, limit=limit, **more)
        return answer

    def close(self) -> None:
        """Close all connections."""
        for session in [*self._sessions.values()]:  # one that still looks may add its own
            session.close()

    def _session(self, link: Link, whom: str, limit: Limit) -> Session:
        """Return the session that all threads share; where streams are few, one waits for another."""
        with self._opening[link.name]:
            if (link.name, whom, limit) not in self._sessions:
                context = tls_context(self._store, KUBERNETES_CA, whom)
                at_most = AT_MOST_RELAYED if link.is_narrow(API) else 0
                self._sessions[link.name, whom, limit] = https(link, PORT, context, at_most=at_most, limit=limit)
            return self._sessions[link.name, whom, limit]

    def _unready(self, link: Link, session: Session) -> str:
        """Ask, until it is so once, if the API server can work: without its store each answer takes it a minute."""
        if link.name in self._ready:
            return ""
        answer = session.get("/readyz", timeout_s=READY_TIMEOUT_S)
        if answer.status != HTTPStatus.OK:
            return f"{answer.status} {last_words(answer.content, 200)}"
        self._ready.add(link.name)
        return ""

    def _whom(self, method: str) -> str:
        """Choose who asks. Super-admin reads where rkx's own user may not, so that a plan can say what to repair."""
        shut_out = self._shut_out and method == "GET"
        return SUPER_ADMIN if shut_out or not self.has_own_user else INSTALLER

    def _ask(
        self, whom: str, method: str, path: str, content: bytes | None, kind: str, limit: Limit, more: Mapping[str, Any]
    ) -> Answer:
        if not {KUBERNETES_CA, whom} <= self._store.state.credentials.keys():
            raise ApiSilent("the cluster has no credentials yet")
        why: object = "no control plane node is reachable"
        for link in self._links():
            try:
                session = self._session(link, whom, limit)
                if why := self._unready(link, session):
                    continue
                headers = {"Content-Type": kind}
                answer = session.request(method, path, body=content, headers=headers, **more)
            except (OSError, StreamRefused, TransportError) as error:
                why = error
            else:
                if answer.status not in SILENT or path.endswith(EVICTION):
                    return answer
                why = f"{answer.status} {words(answer.content)[:200]}"
        raise ApiSilent(f"no API server answers: {cut(str(why))}", hint="rkx up repairs it")


def checked(answer: Answer, what: str) -> Answer:
    """Return an answer that is none of an error; ApiRefused otherwise."""
    if not answer.ok:
        why = refusal(answer.content, answer.status)
        raise ApiRefused(f"{what}: the API server answered {answer.status}: {why}", status=answer.status)
    return answer


def body_of(answer: Answer, what: str) -> dict[str, Any]:
    """Return the JSON object that an answer holds. Raises ApiRefused for an error, BadAnswer for other JSON."""
    found = parsed(checked(answer, what).content, answer.node, what)
    if not isinstance(found.value, dict):
        raise BadAnswer(f"{answer.node}: {what}: the answer is not a JSON object", node=answer.node)
    return found.value
