"""Plain requests to a Docker Engine, which only look at it."""

from __future__ import annotations

from http import HTTPStatus

from rkx.errors import BadAnswer
from rkx.reconcile.answers import Said, parsed
from rkx.reconcile.sessions import Session


def get(engine: Session, path: str, **params: str) -> Said | None:
    """Ask an Engine; None if it knows no such thing. Not by docker-py, whose import takes longer than a look."""
    answer = engine.get(path, params=params)
    if answer.status == HTTPStatus.NOT_FOUND:
        return None
    return parsed(answer.checked().content, engine.node, path)


def look(engine: Session, path: str, **params: str) -> Said:
    """Return what an Engine must know; BadAnswer if it does not."""
    found = get(engine, path, **params)
    if found is None:
        raise BadAnswer(f"{engine.node}: {path}: its Docker Engine does not know this", node=engine.node)
    return found
