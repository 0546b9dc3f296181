"""A node decides how many things it names; what is done about them ends in time."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable

import pytest
from tests.core.reconcile.conftest import Clock
from tests.core.reconcile.small import Site

from rkx import api
from rkx.errors import Interrupted
from rkx.reconcile.bounds import Limit
from rkx.reconcile.engine import Engine
from rkx.reconcile.link import Link
from rkx.reconcile.relay import END_TIMEOUT_S, Relays
from rkx.testing.wire import Request, Response, as_json, error, serve


class Naming:
    """A way to an Engine that shows the same names many times, and takes its time to end anything."""

    def __init__(self, *names: str, times: int, takes: Callable[[], None] = lambda: None) -> None:
        self.rows = [{"Id": name, "Names": [f"/{name}"]} for name in names] * times
        self.takes, self.asked = takes, list[str]()

    def engine(self) -> socket.socket:
        return serve("one", self._answer)

    def _answer(self, request: Request) -> Response:
        if request.path == "/_ping":
            return Response(body=b"OK", headers={"Api-Version": "1.41"})
        if request.path.endswith("/containers/json"):
            return as_json(self.rows)
        self.asked.append(f"{request.method} {request.path.partition('/containers/')[2]}")
        self.takes()
        return error(500, "no")

    def close(self) -> None:
        """Leave it."""


def ended(way: Naming, *names: str) -> None:
    relays = Relays()
    relays._names += names
    Link("one", way, relays).close()


def test_each_relay_is_ended_once_however_often_the_engine_names_it() -> None:
    way = Naming("a", "b", "other", times=20)
    ended(way, "a", "b")
    assert way.asked == ["DELETE a", "POST a/wait", "DELETE b", "POST b/wait"]


def test_the_end_of_all_relays_has_one_deadline(clock: Clock) -> None:
    def takes() -> None:
        clock.now_s += 2

    names = [f"relay-{number}" for number in range(40)]
    way = Naming(*names, times=1, takes=takes)
    ended(way, *names)
    assert len(way.asked) == END_TIMEOUT_S / 2


def test_a_cancelled_run_removes_no_more_pods(running: Site) -> None:
    engine, removed = running.world.engines["two"], list[str]()
    plain = engine.answer

    def answer(request: Request) -> Response:
        path = re.sub(r"^/v[\d.]+", "", request.path)
        if path == "/containers/json" and "io.kubernetes.pod.uid" in request.query.get("filters", ""):
            return as_json([{"Id": f"pod{number}"} for number in range(100)])
        if path.startswith("/containers/pod"):
            removed.append(path)
            run.cancel()
            return Response(status=204)
        return plain(request)

    engine.answer = answer  # type: ignore[method-assign]
    running.write(("one",))
    run = api.up(running.project, api.Options(accept=lambda dangers: True))
    running.ended(run)
    assert isinstance(run.error, Interrupted), run.error
    assert removed == ["/containers/pod0"]


def test_what_may_take_long_keeps_a_limit_of_its_own(running: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    plain, given = Link.client, set[float]()

    def noted(self: Link, *, timeout_s: float, limit: Limit, together: bool = False) -> Engine:
        given.add(limit.seconds if together else 0)
        return plain(self, timeout_s=timeout_s, limit=limit, together=together)

    monkeypatch.setattr(Link, "client", noted)
    running.service.image, running.service.content = "agent:2", b"other"
    running.done()
    assert given == {300, 300 + 10, 900, 3600}  # an action, one that waits for a container's end, a batch, a pull
