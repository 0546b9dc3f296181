"""Operations on etcd in a made-up world, cut before and after every effect: the next run finishes each."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest
from msgspec.structs import replace
from tests.plugins.service_kubernetes.conftest import CLUSTER, PLAIN, machine

import rkx
from rkx_service_kubernetes import KubernetesService, etcd
from rkx_service_kubernetes.etcd import key

NAMES = ("a", "b", "c")
PLUGIN = KubernetesService(PLAIN)


class Cut(Exception):
    """The end of the program, at any moment."""


class Stopped(Exception):
    """What a step refused, or waits for in vain."""


@dataclass(kw_only=True)
class FakeWorld:
    """Machines with containers of etcd: ``runs`` maps nodes to images, ``members`` are what the data folders say."""

    image: str = "v1"
    runs: dict[str, str] = field(default_factory=dict)
    stands: dict[str, str] = field(default_factory=dict)
    noted: set[str] = field(default_factory=set)
    members: set[str] = field(default_factory=set)
    served: bool = False
    effects: int = 0
    cut: tuple[int, str] = (-1, "after")

    def effect(self, act: Callable[[], None]) -> None:
        """Do one thing that outlives a cut."""
        self.effects += 1
        if self.cut == (self.effects, "before"):
            raise Cut
        act()
        if self.served:
            assert self.quorate, f"the majority is lost: {self.runs} of {self.members}"
        self.served = self.served or self.quorate
        if self.cut == (self.effects, "after"):
            raise Cut

    @property
    def quorate(self) -> bool:
        """Return whether a majority of the members runs."""
        running = len(self.members & self.runs.keys())
        return bool(self.members) and running >= len(self.members) // 2 + 1

    def answer(self, call: rkx.step.NodeRequest) -> rkx.step.NodeResponse:
        """Answer as etcd 3.6 does: to clients once there was a majority, to members at once."""
        if call.node not in self.runs or (call.port == etcd.CLIENT_PORT and not self.served):
            return rkx.step.NodeResponse(status=0)
        if call.path.endswith("status"):
            return rkx.step.NodeResponse(status=200, body=json.dumps({"leader": "1"} if self.quorate else {}))
        rows = [self._row(name) for name in sorted(self.members)]
        return rkx.step.NodeResponse(
            status=200, body=json.dumps({"members": rows} if call.port == etcd.CLIENT_PORT else rows)
        )

    def _row(self, name: str) -> dict[str, object]:
        number = NAMES.index(name) + 1
        told = {"clientURLs": [f"https://192.0.2.{number}:2379"]} if self.served else {}
        return {"ID": str(number), "name": name, "peerURLs": [f"https://192.0.2.{number}:2380"], **told}


def cluster(names: Sequence[str]) -> rkx.Cluster:
    nodes = tuple(machine(name, NAMES.index(name) + 1, "controlplane", "etcd") for name in names)
    return replace(CLUSTER, nodes=nodes)


def wanted(node: str) -> rkx.Container:
    return rkx.Container(node=node, name="etcd", image="", argv=())


def differences(world: FakeWorld, names: Sequence[str]) -> list[rkx.action.ContainerAction]:
    found: list[rkx.action.ContainerAction] = []
    for name in names:
        if name in world.stands:
            found.append(rkx.action.StartContainer(key=wanted(name).key, reason="stands"))
        elif name not in world.runs:
            found.append(rkx.action.CreateContainer(key=wanted(name).key, reason="missing"))
        elif world.runs[name] != world.image:
            found.append(rkx.action.ReplaceContainer(key=wanted(name).key, reason="image"))
    return found


def up(world: FakeWorld, names: Sequence[str] = NAMES) -> None:
    """Do what core does: plan with what was applied, then the updates in their order; what none claims goes at once."""
    wanted, applied = cluster(names), [key(name) for name in sorted(world.noted | world.runs.keys())]
    changes = {action.key: action for action in differences(world, names)}
    seen = {call: world.answer(call) for call in PLUGIN.rkx_queries(wanted, applied, [*changes.values()])}
    found = PLUGIN.rkx_updates(wanted, applied, list(changes.values()), seen)
    updates = [each for each in found if isinstance(each, rkx.NodeUpdate)]
    claimed = {each for update in updates for each in update.keys}
    for action in (action for each, action in changes.items() if each not in claimed):
        carry(world, action, names)
    for update in updates:
        take(world, update.pre_steps)
        for each in update.keys:
            carry(world, changes[each], names)
        take(world, update.post_steps)


def take(world: FakeWorld, steps: Sequence[object]) -> None:
    for step in steps:
        assert isinstance(step, rkx.step.Step)
        verdict = PLUGIN.rkx_step(step, {call: world.answer(call) for call in step.queries})
        if verdict != rkx.step.Done():
            raise Stopped(verdict)


def carry(world: FakeWorld, action: rkx.action.ContainerAction, names: Sequence[str]) -> None:
    node = action.key.node

    def new_state() -> None:
        world.members |= set() if world.members else set(names)
        world.runs[node] = world.image

    match action:
        case rkx.action.CreateContainer():
            world.effect(lambda: world.noted.add(node))
            world.effect(new_state)
        case rkx.action.StartContainer():
            world.effect(lambda: world.runs.update({node: world.stands.pop(node)}))
        case rkx.action.ReplaceContainer():
            world.effect(lambda: stop(world, node))
            world.effect(lambda: world.runs.update({node: world.stands.pop(node)}))


def stop(world: FakeWorld, node: str) -> None:
    del world.runs[node]
    world.stands[node] = world.image


def grown() -> FakeWorld:
    world = FakeWorld()
    up(world)
    world.effects = 0
    return world


def upgraded() -> FakeWorld:
    world = grown()
    world.image = "v2"
    return world


def without(*names: str) -> FakeWorld:
    world = grown()
    world.served = False
    for name in names:
        del world.runs[name]
    return world


SCENARIOS: dict[str, Callable[[], FakeWorld]] = {
    "rolling replacement": upgraded,
    "one container deleted": lambda: without("b"),
    "most containers deleted": lambda: without("b", "c"),
    "all containers deleted": lambda: without(*NAMES),
}


def ended(make: Callable[[], FakeWorld]) -> int:
    world = make()
    up(world)
    assert world.runs == dict.fromkeys(NAMES, world.image)
    return world.effects


@pytest.mark.parametrize("name", SCENARIOS)
def test_whatever_was_cut_is_finished_by_the_next_run(name: str) -> None:
    make = SCENARIOS[name]
    for number in range(1, ended(make) + 1):
        for when in ("before", "after"):
            world = make()
            world.cut = (number, when)
            with pytest.raises(Cut):
                up(world)
            world.cut = (-1, "after")
            up(world)
            assert (world.runs, world.members) == (dict.fromkeys(NAMES, world.image), set(NAMES))
            assert differences(world, NAMES) == []


@pytest.mark.parametrize("number", range(2, 7))
def test_a_first_start_that_was_cut_goes_on_once_a_member_answers(number: int) -> None:
    world = FakeWorld(cut=(number, "after"))
    with pytest.raises(Cut):
        up(world)
    world.cut = (-1, "after")
    up(world)
    assert (world.runs, world.effects) == (dict.fromkeys(NAMES, "v1"), 6 + number % 2)


def test_a_first_start_cut_before_its_first_container_takes_one_run_more() -> None:
    world = FakeWorld(cut=(1, "after"))
    with pytest.raises(Cut):
        up(world)
    world.cut = (-1, "after")
    with pytest.raises(Stopped, match="if this cluster never worked, remove and recreate it"):
        up(world)  # the member that was noted may be old, its container deleted: the others must wait for its word
    up(world)
    assert world.runs == dict.fromkeys(NAMES, "v1")


def test_a_replacement_stops_where_it_would_cost_the_majority() -> None:
    world = upgraded()
    stop(world, "c")
    del world.stands["c"]  # its machine is off: nothing of it can be planned
    with pytest.raises(Stopped, match="are needed"):
        replacing(world, "a")
    assert world.runs == {"a": "v1", "b": "v1"}


def test_nothing_is_replaced_while_all_are_silent() -> None:
    world = upgraded()
    world.answer = lambda call: rkx.step.NodeResponse(status=0)  # type: ignore[method-assign] # the way to the members is shut
    with pytest.raises(Stopped, match="no member of etcd answers"):
        up(world)
    assert set(world.runs.values()) == {"v1"}


def test_growth_beside_a_silent_member_founds_no_second_cluster() -> None:
    world = FakeWorld()
    up(world, ("a",))
    world.answer = lambda call: rkx.step.NodeResponse(status=0)  # type: ignore[method-assign] # the way to the member is shut
    with pytest.raises(Stopped, match="would become a new member"):
        up(world)
    assert (world.runs, world.members) == ({"a": "v1"}, {"a"})


def replacing(world: FakeWorld, node: str) -> None:
    """Replace one member while another machine is off."""
    applied = [key(name) for name in NAMES]
    action = rkx.action.ReplaceContainer(key=wanted(node).key, reason="image")
    seen = {call: world.answer(call) for call in PLUGIN.rkx_queries(cluster(NAMES), applied, [action])}
    [_, update] = PLUGIN.rkx_updates(cluster(NAMES), applied, [action], seen)
    assert isinstance(update, rkx.NodeUpdate)
    take(world, update.pre_steps)
    carry(world, action, NAMES)
