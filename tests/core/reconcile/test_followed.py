"""A run that another has followed changes nothing more; who comes second finds the first one's cluster."""

from __future__ import annotations

import itertools
import json
import socket
import threading
from collections.abc import Iterator
from typing import BinaryIO

import pytest
from tests.core.reconcile.conftest import Make
from tests.core.reconcile.small import Site

from rkx import api
from rkx.errors import BadAnswer, ConnectFailed, Interrupted, Locked, PartlyDone
from rkx.reconcile import batch as one_batch
from rkx.reconcile.batch import MOST_BYTES, Hold, Operation
from rkx.reconcile.bounds import ENGINE
from rkx.reconcile.engine import Engine
from rkx.reconcile.holder import Holder
from rkx.reconcile.layout import Profile
from rkx.reconcile.link import Link
from rkx.reconcile.lock import Lock
from rkx.reconcile.node import NodeProgram
from rkx.testing.container import Box
from rkx.testing.machine import FENCE, Entry
from rkx.testing.wire import HangUp, Request, Response
from rkx.testing.world import Way

FILE = {"verb": "put", "path": "/etc/tiny/late", "mode": "0600", "uid": 0, "gid": 0, "content": ""}


def colleague(site: Site, folder: str = "colleague") -> Site:
    """Return another operator of the same nodes, with cluster.yml and nothing else."""
    place = site.folder.with_name(f"{site.folder.name}-{folder}")
    place.mkdir()
    other = Site(place, site.names, etcd=site.etcd)
    other.world.close()
    other.world = site.world
    return other


def foreign(site: Site, run: str = "theirs", number: int = 99) -> Box:
    """Return the lock of a run on another computer."""
    labels = {**Holder.here(run, number).labels, "rkx.machine": "another", "rkx.boot": "another"}
    labels["rkx.cluster"] = site.state.cluster_id
    return Box(name="rkx-lock", config={"Image": "x", "Labels": labels})


def fence(site: Site, node: str = "one") -> int:
    return int(json.loads(site.world.machines[node].files[FENCE].content or b"")["number"])


def program(site: Site, node: str, number: int, *, locked: bool = True) -> NodeProgram:
    made = NodeProgram(Link(node, Way(site.world, node)), site.state.cluster_id, "x86_64")
    made.hold = Hold(number=number, check=(lambda: None) if locked else None)
    return made


def lost() -> None:
    raise Interrupted("another run broke this run's lock")


@pytest.mark.whole
def test_two_of_three_silent_is_no_lock(make: Make) -> None:
    site = make("one", "two", "three", etcd=3)
    site.done()
    site.world.revive()
    for name in ("two", "three"):
        site.world.engines[name].boxes["rkx-lock"] = foreign(site)
    site.world.silent |= {"two", "three"}
    site.service.flag = "--level=2"
    run = site.up("two", "three")
    assert isinstance(run.error, Locked), run.error
    assert run.exit_code == 5
    assert "two, three cannot be reached" in run.error.message
    assert site.world.effects == []


@pytest.mark.whole
def test_a_majority_that_becomes_silent_ends_the_run_as_locked(make: Make) -> None:
    site = make("one", "two", "three", etcd=3)
    site.done()
    site.world.revive()
    site.service.flag = "--level=2"
    locked = [f"{name} create rkx-lock" for name in site.names]

    def cut() -> None:
        if site.world.effects[:3] == locked and site.world.effects[-1] == "state":
            site.world.silent |= {"one", "two", "three"}

    site.world.watcher = cut
    run = site.up("one", "two", "three")
    assert isinstance(run.error, Locked), run.error
    assert "one, two, three cannot be reached" in run.error.message
    assert not any("agent" in effect for effect in site.world.effects)


def test_a_cluster_that_lost_its_lock_nodes_is_taken_down_when_told_so(running: Site) -> None:
    running.world.silent.add("one")
    options = api.Options(accept=lambda dangers: True, allow_unreachable=frozenset({"one"}))
    refused = running.ended(api.remove(running.project, options))
    assert (refused.exit_code, "--break-lock lost" in str(refused.error and refused.error.hint)) == (5, True)
    told = api.Options(accept=options.accept, allow_unreachable=options.allow_unreachable, break_lock="lost")
    running.service.flag = "--level=2"
    assert running.ended(api.up(running.project, told)).exit_code == 5
    assert running.ended(api.remove(running.project, told)).exit_code == 7
    assert running.world.engines["two"].boxes == {}
    assert "agent" in running.world.engines["one"].boxes


@pytest.mark.whole
def test_who_loses_the_race_for_a_new_cluster_keeps_no_state(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    taken, second, seen = Lock.take, colleague(site), list[api.Run]()

    def take(lock: Lock, number: int = 1) -> None:
        """Let the second begin as the first one is about to take the lock; he takes it first."""
        if not seen:
            monkeypatch.setattr(Lock, "take", taken)
            with lock._links[0].docker() as client:
                lock._programs["one"].load_image(client)
            labels = {**Holder.here("winner", 2).labels, "rkx.machine": "another", "rkx.cluster": "beef"}
            site.world.engines["one"].boxes["rkx-lock"] = Box(name="rkx-lock", config={"Image": "x", "Labels": labels})
        taken(lock, number)

    monkeypatch.setattr(Lock, "take", take)
    loser = second.up()
    assert isinstance(loser.error, Locked), loser.error
    assert [*second.folder.glob("*.rkxstate")] == []
    del site.world.engines["one"].boxes["rkx-lock"]
    site.done()
    second.done()
    assert second.state.cluster_id == site.state.cluster_id
    assert second.plan().is_empty


@pytest.mark.whole
def test_who_comes_while_a_cluster_is_made_is_told_by_whom(site: Site) -> None:
    second, ended = colleague(site), list[api.Run]()

    def come() -> None:
        if site.world.effects[-1] == "one create rkx-lock":
            labels = site.world.engines["one"].boxes["rkx-lock"].labels
            labels["rkx.machine"], mine = "another", labels["rkx.machine"]
            thread = threading.Thread(target=lambda: ended.append(second.up()))
            site.world.watcher = lambda: None
            thread.start()
            thread.join()
            labels["rkx.machine"] = mine

    site.world.watcher = come
    site.done()
    assert isinstance(ended[0].error, Locked), ended[0].error
    assert "remove the container rkx-lock on one" in ended[0].error.hint
    assert [*second.folder.glob("*.rkxstate")] == []


@pytest.mark.whole
def test_numbers_rise_from_run_to_run_and_all_nodes_see_them(running: Site) -> None:
    numbers = []
    for level in (2, 3):
        running.service.content = b"level %d" % level
        running.done()
        numbers.append(fence(running))
        assert fence(running, "two") == numbers[-1]
    assert numbers[0] < numbers[1] <= running.state.generation


@pytest.mark.whole
def test_a_batch_of_a_run_that_was_followed_is_refused_in_both_profiles(running: Site) -> None:
    old = fence(running)
    running.service.content = b"other"
    running.done()
    late = program(running, "one", old)
    batches: list[tuple[Profile, Operation]] = [("files", FILE), ("host", {"verb": "clean", "paths": ["/x"]})]
    for profile, operation in batches:
        running.world.revive()
        late.hold = Hold(number=old, check=lost)
        with pytest.raises(Interrupted, match=f"one: a later run, number {fence(running)}, was here"):
            late.batch(profile, [operation])
        assert not {effect.split()[1] for effect in running.world.effects} - {"start"}


def test_breaking_a_lock_with_nothing_to_do_is_remembered(running: Site) -> None:
    running.world.engines["one"].boxes["rkx-lock"] = foreign(running, number=700)
    run = running.ended(api.up(running.project, api.Options(break_lock="theirs")))
    assert run.error is None
    assert (fence(running), running.state.generation) == (701, 701)
    late = program(running, "one", 700)
    late.hold = Hold(number=700, check=lost)
    with pytest.raises(Interrupted):
        late.batch("files", [FILE])


def test_a_container_is_not_touched_once_the_lock_is_lost_while_the_run_stood_still(
    running: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    running.service.flag, now = "--level=2", [0.0, 0.0]
    monkeypatch.setattr("rkx.reconcile.lock.clocks", lambda: tuple(now))

    def freeze() -> None:
        if running.world.effects[-1].startswith("one create agent-"):
            running.world.engines["one"].boxes["rkx-lock"] = foreign(running)
            now[0] += 90.0

    running.world.watcher = freeze
    run = running.up()
    assert "another run broke this run's lock" in str(run.error)
    assert not [effect for effect in running.world.effects if effect.startswith(("one stop agent", "one rename agent"))]


@pytest.mark.whole
def test_a_later_run_that_no_lock_knows_of_is_that_nodes_word_alone(running: Site) -> None:
    mark = json.dumps({"cluster": running.state.cluster_id, "number": 999999}).encode()
    running.world.machines["two"].files[FENCE] = Entry(content=mark, mode=0o600)
    running.service.content = b"other"
    error = running.up().error
    assert isinstance(error, PartlyDone)
    assert not isinstance(error, Interrupted)
    assert "two: it tells of a later run, number 999999, but this one, number " in error.message
    assert "find out who wrote that there, then delete /var/lib/rkx/fence on that node" in error.hint
    assert running.world.machines["one"].files["/etc/tiny/config"].content == b"other"
    running.service.content = b"another"
    error = running.up("two").error
    assert str(error).startswith("not reached: two; all the rest is done; two: it tells of a later run")
    del running.world.machines["two"].files[FENCE]
    running.done()
    assert running.world.machines["two"].files["/etc/tiny/config"].content == b"another"


@pytest.mark.parametrize("seen", [-1, 1 << 64, "9", True])
def test_a_number_that_no_run_can_have_is_no_answer(running: Site, seen: object) -> None:
    def answer(lines: list[bytes]) -> Iterator[bytes]:
        yield json.dumps({"batch": json.loads(lines[0])["batch"], "ok": False, "seen": seen, "error": "x"}).encode()

    running.world.machines["one"].perform = answer  # type: ignore[method-assign]
    with pytest.raises(BadAnswer, match=r"one: rkx-node: the answer has no .* where seen is expected"):
        program(running, "one", 900).batch("files", [FILE])


def test_another_clusters_program_under_the_name_is_not_started(running: Site) -> None:
    running.world.engines["one"].boxes["rkx-node"].labels["rkx.cluster"] = "beef"
    with pytest.raises(Interrupted, match="rkx-node belongs to cluster beef now"):
        program(running, "one", 900).batch("files", [FILE])


@pytest.fixture
def half_open(running: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """Return a stream of which half a batch came, and that nobody closed."""
    monkeypatch.setattr(one_batch, "SUCCESSION_S", 0.2)
    client = Link("one", Way(running.world, "one")).client(timeout_s=5, limit=ENGINE)
    stream = client.attach("rkx-node")
    client.start("rkx-node")
    stream._sock.sendall(b'{"verb": "begin", "cluster"')
    yield stream._sock
    stream.close()
    client.close()


@pytest.mark.whole
def test_a_half_open_stream_is_ended_by_who_holds_the_lock(running: Site, half_open: socket.socket) -> None:
    running.service.content = b"other"
    running.done()
    assert running.world.machines["one"].files["/etc/tiny/config"].content == b"other"
    assert [effect for effect in running.world.effects if "kill" in effect] == ["one kill rkx-node"]


def test_without_the_lock_nobodys_batch_is_ended(running: Site, half_open: socket.socket) -> None:
    with pytest.raises(PartlyDone, match="one: rkx-node is busy with another client's batch"):
        program(running, "one", 900, locked=False).batch("files", [FILE])
    assert running.world.engines["one"].running("rkx-node")


def test_who_lost_the_lock_ends_nobodys_batch(running: Site, half_open: socket.socket) -> None:
    late = program(running, "one", 900)
    late.hold = Hold(number=900, check=lost)
    with pytest.raises(Interrupted):
        late.batch("files", [FILE])
    assert running.world.engines["one"].running("rkx-node")


def test_who_hears_the_answers_of_anothers_batch_knows(running: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two clients attach before either starts the container: the batch that comes whole first is done."""
    both, free, ended = threading.Barrier(2), one_batch._free, dict[str, object]()
    tried = list[int]()

    def together(client: Engine, place: one_batch.Place, hold: Hold) -> str:
        box = free(client, place, hold)
        if (me := threading.get_ident()) not in tried:  # who hears nothing at all tries again, alone
            tried.append(me)
            both.wait(5)
        return box

    monkeypatch.setattr(one_batch, "_free", together)

    def send(name: str) -> None:
        try:
            ended[name] = program(running, "one", 900).batch("files", [{**FILE, "path": f"/etc/tiny/{name}"}])
        except (PartlyDone, ConnectFailed) as error:
            ended[name] = error

    threads = [threading.Thread(target=send, args=(name,)) for name in ("first", "second")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name, result in ended.items():
        was_done = f"/etc/tiny/{name}" in running.world.machines["one"].files
        assert isinstance(result, list) == was_done, ended


@pytest.mark.whole
@pytest.mark.parametrize("late", [1, 2])
def test_a_start_of_a_killed_run_that_comes_late_costs_one_more_try(
    running: Site, monkeypatch: pytest.MonkeyPatch, late: int
) -> None:
    """The container runs over the killed run's input, which has ended, and does nothing."""
    run, cut = one_batch._run, iter(range(late))
    nothing = (b"", 'rkx-node: input ended before the verb "end": nothing was done')
    monkeypatch.setattr(one_batch, "_run", lambda *given: run(*given) if next(cut, None) is None else nothing)
    if late == 1:
        program(running, "one", 10**6).batch("files", [FILE])
        assert FILE["path"] in running.world.machines["one"].files
    else:  # no more than one run was killed under the lock before this one's
        with pytest.raises(PartlyDone, match="nothing was done"):
            program(running, "one", 10**6).batch("files", [FILE])


def test_a_container_that_ended_before_its_batch_came_is_given_it_once_more(running: Site) -> None:
    """A killed run's start may end it between our start and our input, whose stream then breaks."""
    engine = running.world.engines["one"]
    plain, attached = engine.answer, itertools.count()

    def answer(request: Request) -> Response:
        if request.path.endswith("/attach") and next(attached) == 0:
            return Response(upgrade=lambda _given, _said: None)
        return plain(request)

    engine.answer = answer  # type: ignore[method-assign]
    program(running, "one", 10**6).batch("files", [FILE])
    assert FILE["path"] in running.world.machines["one"].files
    assert next(attached) == 2


def whole(given: BinaryIO) -> None:
    """Read a batch to its end, and say nothing of it."""
    while given.readline() != b'{"verb": "end"}\n':
        pass


@pytest.mark.parametrize("reads_all", [False, True])
def test_a_batch_whose_connection_is_lost_says_that_its_stream_broke(running: Site, reads_all: bool) -> None:
    engine = running.world.engines["one"]
    plain, is_lost = engine.answer, threading.Event()

    def answer(request: Request) -> Response:
        if is_lost.is_set():
            raise HangUp
        if request.path.endswith("/attach"):
            return Response(upgrade=lambda given, _said: whole(given) if reads_all else None)
        if request.path.endswith("/start"):
            is_lost.set()
        return plain(request)

    engine.answer = answer  # type: ignore[method-assign]
    why = "Connection aborted" if reads_all else "Broken pipe"
    with pytest.raises(PartlyDone, match=f"one: the stream to rkx-node broke: .*{why}"):
        program(running, "one", 10**6).batch("files", [FILE])


def test_a_second_answer_that_cannot_be_read_is_the_nodes_own(running: Site) -> None:
    """Its node can be left aside for it."""
    engine = running.world.engines["one"]
    plain, is_silent = engine.answer, threading.Event()

    def answer(request: Request) -> Response:
        if request.path.endswith("/attach"):
            is_silent.set()
            return Response(upgrade=lambda given, _said: whole(given))
        if is_silent.is_set() and request.path.endswith("/rkx-node/json"):
            return Response(body=b"[]")
        return plain(request)

    engine.answer = answer  # type: ignore[method-assign]
    with pytest.raises(BadAnswer, match="one: rkx-node: the answer has no mapping"):
        program(running, "one", 10**6).batch("files", [FILE])


def test_a_batch_that_is_too_large_is_not_sent(running: Site) -> None:
    running.world.revive()
    with pytest.raises(PartlyDone, match="one: its files make a batch of 32 MiB, and 32 MiB is the most"):
        program(running, "one", 900).batch("files", [{**FILE, "content": "x" * MOST_BYTES}])
    assert running.world.effects == []
