"""Plain requests to a Docker Engine, and the form of its refusals."""

from __future__ import annotations

import contextlib
import json

import requests

from rkx.errors import BadAnswer
from rkx.reconcile.answers import SHORT, Said, parsed, refuse_many, words
from rkx.reconcile.sessions import Session, node_of


def get(engine: Session, path: str, **params: str) -> Said | None:
    """Ask an Engine; None if it knows no such thing. Not by docker-py, whose import takes longer than a look."""
    answer = engine.get(f"http://node{path}", params=params)
    if answer.status_code == requests.codes.not_found:
        return None
    answer.raise_for_status()
    return parsed(answer.content, engine.node, path)


def look(engine: Session, path: str, **params: str) -> Said:
    """Return what an Engine must know; BadAnswer if it does not."""
    found = get(engine, path, **params)
    if found is None:
        raise BadAnswer(f"{engine.node}: {path}: its Docker Engine does not know this", node=engine.node)
    return found


def refusal(answer: requests.Response) -> str:
    """Return the Engine's own words about what it refused; BadAnswer if they are too many."""
    content = answer.content
    with contextlib.suppress(BadAnswer):
        return parsed(content, "", "").words("message")
    return words(answer) or str(answer.status_code)


def plain_refusals(answer: requests.Response, *, stream: bool = False, **_more: object) -> None:
    """Let docker-py find in each refusal the form that it relies on, and read no JSON that becomes too much."""
    if answer.status_code >= requests.codes.bad_request:
        answer._content = json.dumps({"message": refusal(answer)}).encode()
    elif not stream:
        refuse_many(answer.content, node_of(answer), f"{answer.request.method} {answer.request.path_url}"[:SHORT])
