"""Two operators on two computers, request by request in every order that a seed gives."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from rkx.errors import Interrupted, Locked, PartlyDone
from rkx.reconcile.holder import ENDED
from rkx.reconcile.link import Link
from rkx.reconcile.lock import Lock
from rkx.reconcile.node import NodeProgram
from rkx.testing import FakeWorld
from rkx.testing.container import Box
from rkx.testing.machine import FENCE
from rkx.testing.world import Way

SEEDS = [range(10), pytest.param(range(10, 100), marks=[pytest.mark.lab, pytest.mark.long])]
NODES = ("one", "two", "three")
WORK = [{"verb": "put", "path": "/work", "mode": "0600", "uid": 0, "gid": 0, "content": ""}]


class Turns:
    """Lets one operator at a time make its next request: which, a seed says."""

    def __init__(self, seed: int, names: tuple[str, ...]) -> None:
        self._chance, self._at_work = random.Random(seed), [*names]
        self._stays = self._chance.choice((0.5, 0.8, 0.95))
        self._turn, self._changed = self._chance.choice(names), threading.Condition()

    def wait(self, name: str) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self._turn == name, 30)

    def next(self) -> None:
        with self._changed:
            if self._turn not in self._at_work or self._chance.random() > self._stays:
                self._turn = self._chance.choice(self._at_work) if self._at_work else ""
            self._changed.notify_all()

    def end(self, name: str) -> None:
        self.wait(name)
        self._at_work.remove(name)
        self.next()


@dataclass
class Operator:
    """One computer: it takes the lock, works on each node, and gives the lock back; it may break the other's."""

    name: str
    world: FakeWorld
    turns: Turns
    reach: tuple[str, ...]
    breaks: str = ""
    generation: int = 0
    worked: list[int] = field(default_factory=list)
    error: Exception | None = None

    def guard(self) -> None:
        """Let another go first: all that comes between two requests may take any time."""
        self.turns.next()
        self.turns.wait(self.name)

    def run(self) -> None:
        self.turns.wait(self.name)
        try:
            self.work()
        except (Interrupted, Locked, PartlyDone) as error:
            self.error = error
        finally:
            self.turns.end(self.name)

    def work(self) -> None:
        links = {name: Link(name, Way(self.world, name)) for name in self.reach}
        for link in links.values():
            link.guard = self.guard
        programs = {name: NodeProgram(link, "cafe", "x86_64") for name, link in links.items()}
        lock = Lock([*links.values()], [NODES], programs, self.name, self.breaks)
        lock.take(self.generation + 1)
        self.generation = lock.number
        for program in programs.values():
            program.hold = lock.hold
            self.guard()
            lock.check()
            self.guard()
            program.batch("files", WORK)
            self.worked.append(lock.number)
        self.guard()
        lock.release()


@pytest.fixture(scope="module")
def world() -> Iterator[FakeWorld]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rkx.reconcile.node_image.program", lambda architecture: b"rkx-node")
        patch.setattr("rkx.reconcile.holder.machine_id", lambda: "")  # so nobody is known to be dead
        made = FakeWorld(NODES)
        yield made
        made.close()


def prepare(world: FakeWorld) -> list[tuple[str, str, int]]:
    """Begin anew, and give the list of what is done from now on: an operator's mark, the node, and its fence."""
    world.close()
    world.effects.clear()
    ENDED.clear()
    for engine in world.engines.values():
        engine.boxes.clear()
        config = {"Image": "x", "Entrypoint": ["/rkx-node"], "Labels": {"rkx.cluster": "cafe"}}
        engine.boxes["rkx-node"] = Box(name="rkx-node", config=config)
        engine.machine.files.clear()
    seen: list[tuple[str, str, int]] = []

    def note() -> None:
        node, what, *_ = world.effects[-1].split()
        if what == "put":
            entry = world.machines[node].files[FENCE]
            lock = world.engines[node].boxes.get("rkx-lock")
            seen.append((lock.labels["rkx.run"] if lock else "", node, json.loads(entry.content or b"")["number"]))

    world.watcher = note
    return seen


def interleave(world: FakeWorld, seed: int, breaks: str) -> tuple[list[Operator], list[tuple[str, str, int]]]:
    chance, seen = random.Random(seed), prepare(world)
    turns = Turns(seed, ("first", "second"))
    reached = [tuple(sorted(chance.sample(NODES, chance.choice((2, 3))), key=NODES.index)) for _ in range(2)]
    both = [Operator("first", world, turns, reached[0]), Operator("second", world, turns, reached[1], breaks)]
    threads = [threading.Thread(target=each.run) for each in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return both, seen


def rising(seen: list[tuple[str, str, int]]) -> bool:
    numbers = {node: [number for _, where, number in seen if where == node] for node in NODES}
    return all(each == sorted(each) for each in numbers.values())


@pytest.mark.whole
@pytest.mark.parametrize("seeds", SEEDS)
def test_of_two_operators_one_works_at_a_time(world: FakeWorld, seeds: range) -> None:
    """Nobody breaks a lock: each batch is that of who holds the lock on its node, and none begins before one ends."""
    outcomes = set()
    for seed in seeds:
        both, seen = interleave(world, seed, "")
        done = [each for each in both if each.error is None]
        outcomes.add(len(done))
        runs = [run for run, _, _ in seen]
        assert done, [each.error for each in both]
        assert len(seen) == sum(len(each.worked) for each in both), f"seed {seed}"
        assert runs == sorted(runs, key=runs.index), f"seed {seed}: {seen}"
        assert all(not each.worked for each in both if isinstance(each.error, Locked)), f"seed {seed}"
        assert all("rkx-lock" not in engine.boxes for engine in world.engines.values()), f"seed {seed}"
    assert outcomes == {1, 2}


@pytest.mark.whole
@pytest.mark.parametrize("seeds", SEEDS)
def test_no_batch_of_a_broken_run_follows_one_of_its_successor(world: FakeWorld, seeds: range) -> None:
    fenced = 0
    for seed in seeds:
        both, seen = interleave(world, seed, "first")
        assert rising(seen), f"seed {seed}: {seen}"
        assert both[1].error is None or not both[1].worked, f"seed {seed}: {both[1].error}"
        fenced += "a later run" in str(both[0].error)
    assert fenced, "no seed brought a late batch to the fence"
