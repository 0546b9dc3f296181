"""A node that leaves, or may be away, holds up no other with what is wrong with it: it is told and left as it is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace
from tests.core.reconcile.conftest import Make
from tests.core.reconcile.small import Site, TinyService, silent

import rkx
from rkx import api
from rkx.errors import PartlyDone, PreflightFailed
from rkx.testing.container import Box
from rkx.testing.wire import Request, Response

pytestmark = pytest.mark.whole

ALLOWED = api.Options(allow_unreachable=frozenset({"two"}), accept=lambda dangers: True)


def clock_off(site: Site, node: str = "two") -> None:
    site.world.engines[node].says["SystemTime"] = (datetime.now(UTC) + timedelta(hours=1)).isoformat()


def put(site: Site, name: str, **labels: str) -> None:
    site.world.engines["two"].boxes[name] = Box(name=name, config={"Image": "tools:1", "Labels": labels})


UNFIT: dict[str, tuple[Callable[[Site], None], str]] = {
    "clock": (clock_off, "its clock is"),
    "rke": (lambda site: put(site, "x", **{"io.rancher.rke.container.name": "x"}), "containers made by RKE"),
    "name": (lambda site: put(site, "rkx-lock"), "a container 'rkx-lock' that rkx did not make"),
}


def refuse_to_create(site: Site) -> None:
    """Have the Engine of node two refuse each container, where rkx-node is missing."""
    engine = site.world.engines["two"]
    plain = engine.answer

    def answer(request: Request) -> Response:
        if request.path.endswith("/containers/create"):
            return Response(status=500, body=b'{"message": "an odd disk"}')
        return plain(request)

    engine.answer = answer  # type: ignore[method-assign]
    for name in ("rkx-node", "rkx-host"):
        engine.boxes.pop(name, None)


@pytest.mark.parametrize("leaves", [False, True])
@pytest.mark.parametrize("how", UNFIT)
def test_an_unfit_node_is_left_as_it_is_and_the_rest_is_done(running: Site, how: str, *, leaves: bool) -> None:
    spoil, why = UNFIT[how]
    spoil(running)
    before = {*running.world.engines["two"].boxes}
    del running.world.engines["one"].boxes["agent"]
    if leaves:
        running.write(("one",))
    options = api.Options() if leaves else ALLOWED
    plan = api.plan(running.project, options)
    assert {action.key.node for action in plan.actions} == {"one"}
    assert plan.unreachable == ("two",)
    assert [finding.node for finding in plan.findings if why in finding.message] == ["two"]
    with pytest.raises(PartlyDone, match=f"not reached: two; all the rest is done; two: {why}"):
        api.up(running.project, options).wait()
    assert running.world.engines["one"].running("agent")
    assert {*running.world.engines["two"].boxes} == before


@pytest.mark.parametrize("how", UNFIT)
def test_an_unfit_node_that_must_be_there_stops_all_of_it(running: Site, how: str) -> None:
    UNFIT[how][0](running)
    clock_off(running, "one")
    del running.world.engines["one"].boxes["agent"]
    with pytest.raises(PreflightFailed, match=r"one: its clock is .*two: |two: .*one: its clock is"):
        api.up(running.project, ALLOWED).wait()
    assert not running.world.engines["one"].running("agent")


@pytest.mark.parametrize("born", [True, False])
def test_a_machine_that_cannot_be_prepared_is_left_aside(site: Site, *, born: bool) -> None:
    if born:
        site.done()
        del site.world.engines["one"].boxes["agent"]
    refuse_to_create(site)
    run = site.up("two")
    assert isinstance(run.error, PartlyDone)
    assert str(run.error) == "not reached: two; all the rest is done; two: the Engine says: an odd disk"
    assert site.world.engines["one"].running("agent")


def test_a_node_that_keeps_the_lock_is_left_aside_before_it_is_taken(make: Make) -> None:
    site = make("one", "two", "three", etcd=3)
    site.done()
    clock_off(site)
    del site.world.engines["one"].boxes["agent"]
    assert "two: its clock is" in str(site.up("two").error)
    assert site.world.engines["one"].running("agent")
    assert all("rkx-lock" not in engine.boxes for engine in site.world.engines.values())


class Strict(TinyService):
    """Wants a setting of the kernel, and blames the node for it, or nobody."""

    blames = True

    @rkx.hookimpl
    def rkx_checks(self, cluster: rkx.Cluster, facts: rkx.Facts) -> list[rkx.Finding]:
        hosts = [(name, each.host) for name, each in facts.items() if each.host]
        bad = [name if self.blames else "" for name, host in hosts if host.sysctls["kernel.panic"] != "10"]
        return [rkx.Finding(node=name, check="kernel", message="kernel.panic is not 10") for name in bad]


@pytest.fixture
def strict(make: Make) -> Site:
    site = make()
    site.service = Strict()
    site.world.machines["one"].sysctls["kernel.panic"] = "10"
    return site


def test_a_machine_that_is_unfit_once_it_is_prepared_is_left_aside(strict: Site) -> None:
    assert str(strict.up("two").error).endswith("two: kernel.panic is not 10")
    assert strict.world.engines["one"].running("agent")


def test_a_machine_that_cannot_be_asked_again_is_left_aside(strict: Site) -> None:
    strict.up("two")
    refuse_to_create(strict)
    strict.world.engines["two"].boxes["rkx-host"] = Box(name="rkx-host", config={"Image": "x", "Labels": {}})
    del strict.world.engines["one"].boxes["agent"]
    error = strict.up("two").error
    assert isinstance(error, PartlyDone)
    assert str(error).startswith("not reached: two; all the rest is done; two: ")
    assert strict.world.engines["one"].running("agent")


def test_what_no_node_is_to_blame_for_stops_all_of_it(strict: Site) -> None:
    assert isinstance(strict.service, Strict)
    strict.service.blames = False
    assert strict.up("two").exit_code == 6
    assert not strict.world.engines["one"].running("agent")


def test_what_fails_there_cuts_no_wait_of_the_others(running: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rkx.reconcile.wait_budget.AFTER_FAILURE_S", 0.0)
    engine, world = running.world.engines["two"], running.world
    put(running, "stray", **{"rkx.cluster": running.state.cluster_id})
    plain, failed = engine.answer, threading.Event()

    def refuse(request: Request) -> Response:
        if request.method == "DELETE":
            failed.set()
            return Response(status=500, body=b'{"message": "an odd disk"}')
        return plain(request)

    def slow(request: Request) -> Response:
        """Be ready some looks after the failure."""
        if request.path == "/readyz" and (not failed.is_set() or next(looks, False)):
            return silent(request)
        return world.kube.answer(request)

    looks = iter([True] * 5)
    engine.answer = refuse  # type: ignore[method-assign]
    world.servers = [replace(each, application=slow) for each in world.servers]
    del world.engines["one"].boxes["server"]
    error = running.up("two").error
    assert str(error) == "two: the Engine says: an odd disk"
