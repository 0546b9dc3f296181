"""Ask a container if it works, every 100 ms, until it does or its time is over."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus

from rkx.errors import BadAnswer, Interrupted, NotReady, RkxError, StreamRefused
from rkx.lines import WORDS, cut
from rkx.model.resource import Container, Probe
from rkx.reconcile.answers import words
from rkx.reconcile.bounds import PROBE
from rkx.reconcile.link import Link
from rkx.reconcile.sessions import Session, session
from rkx.reconcile.state_store import StateStore
from rkx.reconcile.tls_client import https, tls_context
from rkx.reconcile.wait_budget import WaitBudget

POLL_S = 0.1
LAST_LINES = 12
LOOK_S = 2.0
ENDS = 5
"""A container that ended so often while it was waited for will not become healthy by waiting."""


def wait_until_ready(
    link: Link, container: Container, store: StateStore, budget: WaitBudget, tell: Callable[[str], None]
) -> None:
    """Return when the container's probe answers well; NotReady with its last log lines when there is no hope.

    ``tell`` is told why it waits, each time that changes.
    """
    if container.probe is None:
        return
    with _asker(link, container.probe, store) as ask:
        _wait(link, container, container.probe, ask, budget, tell)


def _wait(
    link: Link,
    container: Container,
    probe: Probe,
    ask: Callable[[], str],
    budget: WaitBudget,
    tell: Callable[[str], None],
) -> None:
    ends = _Ends(link, container.name)
    since, told = time.monotonic(), ""
    while why := _answer(ask):
        if budget.cancelled.is_set():
            raise Interrupted(f"{container.key}: cancelled while waiting for it")
        if not budget.left(since, probe.timeout_s) or ends.too_many():
            raise NotReady(
                f"{container.key} does not become healthy: {why}",
                hint=f"its last lines:\n{last_lines(link, container.name)}",
            )
        if why != told:
            tell(why)
            told = why
        budget.cancelled.wait(POLL_S)


def _answer(ask: Callable[[], str]) -> str:
    try:
        return ask()
    except (OSError, StreamRefused, BadAnswer) as error:
        return cut(str(error)) or type(error).__name__


class _Ends:
    """Counts how often a container ended since it was first looked at; looks every two seconds."""

    def __init__(self, link: Link, name: str) -> None:
        self._link, self._name = link, name
        self._before, self._next = self._count(), time.monotonic() + LOOK_S

    def too_many(self) -> bool:
        """Return whether it exited so often that waiting is useless."""
        if time.monotonic() < self._next:
            return False
        self._next = time.monotonic() + LOOK_S
        return self._count() - self._before >= ENDS

    def _count(self) -> int:
        with self._link.docker() as engine:
            return engine.inspect(self._name).number("RestartCount")


@contextlib.contextmanager
def _asker(link: Link, probe: Probe, store: StateStore) -> Iterator[Callable[[], str]]:
    """Lend a function that says what is wrong, or nothing; its stream is given back, as a node may have few."""
    if not probe.path:
        yield lambda: _connects(link, probe.address)
        return
    with _client(link, probe, store) as client:
        yield lambda: _asks(client, probe.path)


def _client(link: Link, probe: Probe, store: StateStore) -> Session:
    if not probe.authority:
        return session(lambda: link.dial(probe.address, timeout_s=5), link.name, timeout_s=5, limit=PROBE)
    port = int(probe.address.rpartition(":")[2])
    return https(link, port, tls_context(store, probe.authority, probe.identity), timeout_s=5, limit=PROBE)


def _asks(client: Session, path: str) -> str:
    answer = client.get(path)
    return "" if answer.status == HTTPStatus.OK else f"{answer.status} {words(answer.content)[:200]}"


def _connects(link: Link, address: str) -> str:
    link.dial(address, timeout_s=5).close()
    return ""


def last_lines(link: Link, name: str) -> str:
    """Return a container's last log lines, or why there are none."""
    try:
        with link.docker() as engine:
            lines = engine.logs(name, LAST_LINES)
    except (RkxError, OSError) as error:
        return f"(no log: {cut(str(error))})"
    except (KeyError, TypeError, AttributeError):  # docker-py inspects the container first, and believes the answer
        return "(no log: its Docker Engine does not describe the container)"
    return lines[-WORDS:].decode(errors="replace").strip()
