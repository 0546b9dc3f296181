"""Requests of plugins to servers on a node: sent through it, and never an exception where nobody answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import requests

from rkx.engine.access import https, tls_context
from rkx.engine.ledger import Ledger
from rkx.engine.link import Link
from rkx.errors import StreamRefused, TransportError
from rkx.model.step import NodeRequest, NodeResponse, Responses


def send(request: NodeRequest, links: Mapping[str, Link], ledger: Ledger) -> NodeResponse:
    """Send one request from a node; status 0 when nobody answered."""
    link = links.get(request.node)
    if link is None or request.identity not in ledger.state.credentials:
        return NodeResponse(status=0)
    client = https(link, request.port, tls_context(ledger, request.authority, request.identity), timeout_s=10)
    try:
        answer = client.request(request.method, f"http://node{request.path}", data=request.body or None)
    except (requests.RequestException, OSError, StreamRefused, TransportError):
        return NodeResponse(status=0)
    finally:
        client.close()
    return NodeResponse(status=answer.status_code, body=answer.content.decode(errors="replace"))


def send_all(requests: Sequence[NodeRequest], links: Mapping[str, Link], ledger: Ledger) -> Responses:
    """Send requests one after the other."""
    return {request: send(request, links, ledger) for request in requests}
