"""Requests of plugins to servers on a node: sent through it, and never an exception where there is no answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rkx.errors import StreamRefused, TransportError
from rkx.model.step import NodeRequest, NodeResponse, Responses
from rkx.reconcile.link import Link
from rkx.reconcile.state_store import StateStore
from rkx.reconcile.tls_client import https, tls_context


def send(request: NodeRequest, links: Mapping[str, Link], store: StateStore) -> NodeResponse:
    """Send one request from a node; status 0 without an answer."""
    link = links.get(request.node)
    if link is None or request.identity not in store.state.credentials:
        return NodeResponse(status=0)
    client = https(link, request.port, tls_context(store, request.authority, request.identity), timeout_s=10)
    try:
        answer = client.request(request.method, request.path, body=request.body.encode() or None)
    except (OSError, StreamRefused, TransportError):
        return NodeResponse(status=0)
    finally:
        client.close()
    return NodeResponse(status=answer.status, body=answer.content.decode(errors="replace"))


def send_all(requests: Sequence[NodeRequest], links: Mapping[str, Link], store: StateStore) -> Responses:
    """Send requests one after the other."""
    return {request: send(request, links, store) for request in requests}
