"""The loop of a run: which rounds there are, what each looks at, and that it ends."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from tests.core.reconcile.small import Site

from rkx import api
from rkx.events import ActionStarted, Event, PlanReady
from rkx.reconcile import observer, opening
from rkx.reconcile.link import Link
from rkx.reconcile.observe import observe
from rkx.reconcile.seen import SeenNode
from rkx.testing.wire import Request, Response


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count the looks at each node."""
    counted = Counter[str]()

    def count(link: Link, digest_key: bytes) -> SeenNode:
        counted[link.name] += 1
        return observe(link, digest_key)

    for module in (observer, opening):
        monkeypatch.setattr(module, "observe", count)
    return counted


def events(site: Site) -> list[Event]:
    run = api.up(site.project)
    found = [*run]
    run.wait()
    return found


def rounds(found: list[Event]) -> int:
    return sum(isinstance(event, PlanReady) for event in found)


def test_a_run_with_nothing_to_do_is_one_round_with_one_look(running: Site, looks: Counter[str]) -> None:
    assert rounds(events(running)) == 1
    assert looks == {"one": 1, "two": 1}


def test_a_change_is_one_round_with_one_look(running: Site, looks: Counter[str]) -> None:
    running.world.engines["two"].boxes.pop("agent")
    assert rounds(events(running)) == 1
    assert looks == {"one": 1, "two": 1}


def test_only_a_machine_that_was_prepared_is_looked_at_again(running: Site, looks: Counter[str]) -> None:
    running.world.engines["two"].boxes.pop("rkx-node")
    assert rounds(events(running)) == 1
    assert looks == {"one": 1, "two": 2}


def hide(site: Site, name: str) -> None:
    """Have node two never list a container, whatever is made there."""
    engine = site.world.engines["two"]
    plain = engine.answer

    def answer(request: Request) -> Response:
        given = plain(request)
        if not request.path.endswith("/containers/json") or request.method != "GET":
            return given
        rows = [row for row in json.loads(given.body) if f"/{name}" not in row["Names"]]
        return Response(status=given.status, body=json.dumps(rows).encode(), headers=given.headers)

    engine.answer = answer  # type: ignore[method-assign]


def test_a_node_that_shows_no_rkx_node_again_and_again_does_not_hold_the_run(running: Site) -> None:
    hide(running, "rkx-node")
    run = api.up(running.project)
    prepared = [event for event in run if isinstance(event, ActionStarted) and event.verb == "prepare"]
    assert [event.node for event in prepared] == ["two", "two"]
