"""One run at a time: who finds another's lock, and when it is taken over."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator

import pytest
from tests.core.reconcile.small import MANIFEST, Site

from rkx import api
from rkx.errors import Interrupted, Locked, PreflightFailed
from rkx.reconcile.holder import ENDED, Holder, start_of
from rkx.reconcile.link import Link
from rkx.reconcile.lock import Lock
from rkx.reconcile.node import NodeProgram
from rkx.testing import FakeWorld
from rkx.testing.container import Box
from rkx.testing.world import Way


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeWorld]:
    monkeypatch.setattr("rkx.reconcile.node_image.program", lambda architecture: b"rkx-node")
    monkeypatch.setattr("rkx.reconcile.holder.machine_id", lambda: "this computer")
    ENDED.clear()
    made = FakeWorld(["one", "two"])
    yield made
    made.close()


def lock(world: FakeWorld, run: str, break_run: str = "") -> Lock:
    links = [Link(name, Way(world, name)) for name in world.engines if name not in world.silent]
    programs = {link.name: NodeProgram(link, "cafe", "x86_64") for link in links}
    return Lock(links, [[*world.engines]], programs, run, break_run)


def labels(world: FakeWorld, node: str = "one") -> dict[str, str]:
    return world.engines[node].boxes["rkx-lock"].labels


def test_a_lock_stands_on_every_node_and_is_never_started(world: FakeWorld) -> None:
    mine = lock(world, "first")
    mine.take()
    assert [engine.boxes["rkx-lock"].state for engine in world.engines.values()] == ["created", "created"]
    assert labels(world)["rkx.run"] == "first"
    mine.check()
    mine.release()
    assert all(engine.boxes == {} for engine in world.engines.values())


def test_another_run_is_told_who_holds_it(world: FakeWorld) -> None:
    lock(world, "first").take()
    with pytest.raises(Locked, match="run first of") as caught:
        lock(world, "second").take()
    assert "--break-lock first" in caught.value.hint
    assert caught.value.exit_code == 5


def test_a_container_of_somebody_else_is_no_lock_of_ours(world: FakeWorld) -> None:
    stranger = Box(name="rkx-lock", config={"Image": "echo"})
    world.engines["one"].boxes["rkx-lock"] = stranger
    with pytest.raises(PreflightFailed, match="one: a container 'rkx-lock' that rkx did not make"):
        lock(world, "first").take()
    assert world.engines["one"].boxes == {"rkx-lock": stranger}


def test_a_process_that_has_ended_does_not_run_though_nobody_asked_for_it() -> None:
    child = subprocess.Popen(["/bin/sh", "-c", "echo ended"], stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert start_of(os.getpid())
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and is still there
    try:
        assert not start_of(child.pid)
    finally:
        child.communicate()
    assert not start_of(child.pid)


def test_a_run_that_is_refused_gives_back_what_it_took(world: FakeWorld) -> None:
    lock(world, "first").take()
    del world.engines["one"].boxes["rkx-lock"]
    with pytest.raises(Locked):
        lock(world, "second").take()
    assert "rkx-lock" not in world.engines["one"].boxes
    assert labels(world, "two")["rkx.run"] == "first"


@pytest.mark.parametrize("changes", [{"rkx.pid": "999999999"}, {"rkx.start": "1"}])
def test_a_dead_holder_of_this_computer_is_taken_over(world: FakeWorld, changes: dict[str, str]) -> None:
    lock(world, "first").take()
    for node in world.engines:
        labels(world, node).update(changes)
    lock(world, "second").take()
    assert labels(world)["rkx.run"] == "second"


def test_a_machine_id_that_another_computer_shares_proves_no_death(world: FakeWorld) -> None:
    lock(world, "first").take()
    labels(world).update({"rkx.boot": "another boot"})
    with pytest.raises(Locked, match="this computer before it was restarted, or on one with the same machine id") as it:
        lock(world, "second").take()
    assert it.value.hint == "wait for it; if it is dead, as after a restart of its computer: --break-lock first"


@pytest.mark.parametrize("name", ["rkx.pid", "rkx.start", "rkx.number"])
@pytest.mark.parametrize("value", ["abc", "-1", "9" * 5000, "\u0663", ""])
def test_a_label_that_says_nothing_is_a_holder_that_may_live(world: FakeWorld, name: str, value: str) -> None:
    lock(world, "first").take()
    for node in world.engines:
        labels(world, node).update({"rkx.pid": "999999999", name: value})
    if name == "rkx.number" or (name == "rkx.start" and value):
        lock(world, "second").take()
        assert labels(world)["rkx.number"] == "2" if name == "rkx.start" else "1"
    else:
        with pytest.raises(Locked, match="run first of"):
            lock(world, "second").take()


def test_a_run_of_this_process_that_is_over_holds_nothing(world: FakeWorld) -> None:
    first = lock(world, "over")
    first.take()
    world.silent.add("one")
    first.release()
    world.silent.clear()
    assert "rkx-lock" in world.engines["one"].boxes
    lock(world, "second").take()
    assert labels(world)["rkx.run"] == "second"


def test_another_computers_holder_is_never_dead(world: FakeWorld) -> None:
    lock(world, "first").take()
    labels(world).update({"rkx.machine": "another", "rkx.pid": "999999999"})
    with pytest.raises(Locked):
        lock(world, "second").take()


@pytest.mark.parametrize(
    "unknown", [{"rkx.machine": ""}, {"rkx.pidns": "pid:[1]"}, {"rkx.pidns": ""}, {"rkx.boot": ""}]
)
def test_a_holder_of_whom_too_little_is_known_is_never_dead(
    world: FakeWorld, monkeypatch: pytest.MonkeyPatch, unknown: dict[str, str]
) -> None:
    monkeypatch.setattr("rkx.reconcile.holder.machine_id", lambda: unknown.get("rkx.machine", "this computer"))
    lock(world, "first").take()
    for node in world.engines:
        labels(world, node).update({"rkx.pid": "999999999", **unknown})
    with pytest.raises(Locked):
        lock(world, "second").take()
    assert labels(world)["rkx.run"] == "first"


def test_a_computer_that_does_not_know_its_boot_takes_nothing_over(
    world: FakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock(world, "first").take()
    monkeypatch.setattr("rkx.reconcile.holder.boot_id", lambda: "")
    with pytest.raises(Locked):
        lock(world, "second").take()


def test_a_broken_run_leaves_its_successors_lock(world: FakeWorld) -> None:
    first = lock(world, "first")
    first.take()
    lock(world, "second", "first").take()
    first.release()
    assert [labels(world, node)["rkx.run"] for node in world.engines] == ["second", "second"]


def test_a_broken_lock_stops_its_former_holder(world: FakeWorld) -> None:
    first = lock(world, "first")
    first.take()
    lock(world, "second", "first").take()
    assert labels(world)["rkx.run"] == "second"
    with pytest.raises(Interrupted, match="another run broke"):
        first.check()


def test_a_lock_that_somebody_deleted_stops_its_holder(world: FakeWorld) -> None:
    first = lock(world, "first")
    first.take()
    del world.engines["one"].boxes["rkx-lock"]
    with pytest.raises(Interrupted, match="one: this run's lock is gone"):
        first.check()


CHANGES: dict[str, Callable[[Site], object]] = {
    "container": lambda site: setattr(site.service, "flag", "--level=2"),
    "file": lambda site: setattr(site.service, "content", b"other"),
    "object": lambda site: setattr(site.network, "colour", "red"),
    "deleted object": lambda site: setattr(site.network, "manifest", MANIFEST.rpartition("---")[0]),
    "label": lambda site: setattr(site.service, "labels", {"tiny": "no"}),
    "node that leaves": lambda site: site.write(["one"]),
}


@pytest.mark.whole
@pytest.mark.parametrize("name", CHANGES)
def test_a_run_whose_lock_was_broken_changes_nothing_more(site: Site, name: str) -> None:
    site.done()
    site.world.revive()
    CHANGES[name](site)

    def break_it() -> None:
        site.world.engines["one"].boxes["rkx-lock"] = Box(name="rkx-lock", config={"Image": "other", "Labels": {}})

    site.world.watcher = lambda: break_it() if site.world.effects == ["one create rkx-lock"] else None
    run = site.ended(api.up(site.project, api.Options(accept=lambda dangers: True)))
    assert run.exit_code == 7
    assert "another run broke this run's lock" in str(run.error)
    assert [effect for effect in site.world.effects if effect != "state"] == ["one create rkx-lock"]


@pytest.fixture
def three(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeWorld]:
    monkeypatch.setattr("rkx.reconcile.node_image.program", lambda architecture: b"rkx-node")
    ENDED.clear()
    made = FakeWorld(["one", "two", "three"])
    yield made
    made.close()


def test_a_majority_confirms_and_less_does_not(three: FakeWorld) -> None:
    first = lock(three, "first")
    first.take()
    three.silent.add("one")
    first.check()
    three.silent.add("three")
    with pytest.raises(Locked, match="2 of the 3 nodes that keep the lock must hold it, and one, three cannot be"):
        first.check()
    three.silent.clear()
    first.check()
    lock(three, "second", "first").take()
    with pytest.raises(Interrupted):
        first.check()


def test_a_check_asks_a_majority_and_no_more(three: FakeWorld) -> None:
    first = lock(three, "first")
    first.take()
    three.requests.clear()
    first.check()
    assert [(request.to, request.method) for request in three.requests] == [("one", "GET"), ("two", "GET")]
    three.silent.add("one")
    first.check()
    three.requests.clear()
    first.check()
    assert [request.to for request in three.requests] == ["two", "three"]


def test_a_majority_is_wanted_to_take_it(three: FakeWorld) -> None:
    three.silent |= {"two", "three"}
    with pytest.raises(Locked, match="and two, three cannot be reached") as caught:
        lock(three, "first").take()
    assert "--break-lock lost" in caught.value.hint
    assert three.effects == []
    three.silent.discard("two")
    lock(three, "first").take()
    three.silent ^= {"one", "three"}
    with pytest.raises(Locked, match="run first of"):
        lock(three, "second").take()


def test_all_nodes_show_the_highest_number(three: FakeWorld) -> None:
    three.silent.add("one")
    lock(three, "first").take(7)
    three.silent.clear()
    second = lock(three, "second", "first")
    second.take(3)
    assert second.number == 8
    assert [labels(three, node)["rkx.number"] for node in three.engines] == ["8", "8", "8"]
    second.check()


def test_a_look_is_fresh_for_a_while_and_not_after_the_computer_slept(
    three: FakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, now = lock(three, "first"), [0.0, 0.0]
    monkeypatch.setattr("rkx.reconcile.lock.clocks", lambda: tuple(now))
    first.take()
    lock(three, "second", "first").take()
    first.confirm()
    for slept in ([0.0, 60.0], [60.0, 0.0], [0.0, -60.0]):
        now[:] = slept
        with pytest.raises(Interrupted):
            first.confirm()


def test_a_lock_that_was_broken_counts_on(world: FakeWorld) -> None:
    lock(world, "first").take()
    assert labels(world)["rkx.number"] == "1"
    lock(world, "second", "first").take()
    assert labels(world)["rkx.number"] == "2"


def test_a_lock_that_a_third_run_took_in_the_meantime_stays(world: FakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    lock(world, "dead").take()
    for node in world.engines:
        labels(world, node)["rkx.pid"] = "999999999"
    judge = Lock._judge

    def judged(mine: Lock, link: Link, holder: Holder) -> None:
        judge(mine, link, holder)
        if holder.run == "dead" and link.name == "one":
            box = world.engines["one"].boxes["rkx-lock"]
            third = {**box.labels, "rkx.run": "third", "rkx.pid": str(os.getpid())}
            world.engines["one"].boxes["rkx-lock"] = Box(name="rkx-lock", config={"Image": "x", "Labels": third})

    monkeypatch.setattr(Lock, "_judge", judged)
    with pytest.raises(Locked, match="run third"):
        lock(world, "second").take()
    assert labels(world)["rkx.run"] == "third"


def test_only_the_named_run_is_broken(world: FakeWorld) -> None:
    lock(world, "first").take()
    with pytest.raises(Locked):
        lock(world, "second", "third").take()
