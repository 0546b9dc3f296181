"""What a step may do beside requests: run a task and copy files, each in its bounds, and with nothing left of it."""

from __future__ import annotations

import os
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path, PurePosixPath

import pytest
from msgspec.structs import replace
from tests.core.reconcile.conftest import Make
from tests.core.reconcile.small import Site, TinyService

import rkx
from rkx.errors import PartlyDone, RkxError
from rkx.reconcile import tasks
from rkx.reconcile.file_copies import Packed, _Counted
from rkx.reconcile.wait_budget import WaitBudget
from rkx.testing.container import Box
from rkx.testing.machine import Entry
from rkx.testing.wire import Request, Response

TASK = rkx.step.RunTask(node="one", image="tool:1", argv=("etcdutl", "snapshot", "save"))
SAVED = PurePosixPath("/var/lib/tiny/saved")


class Doing(TinyService):
    """Takes a step that does things one after the other, and notes what each brought."""

    def __init__(self) -> None:
        super().__init__()
        self.effects: list[rkx.step.Effect] = []
        self.brought: dict[rkx.step.Effect, object] = {}

    @rkx.hookimpl
    def rkx_updates(self, cluster: rkx.Cluster) -> Sequence[rkx.NodeUpdate | rkx.RolloutGroup]:
        step = rkx.step.Step(verb="save", subject="one", reason="it is time")
        updates = [rkx.NodeUpdate(group="g", node="one", pre_steps=(step,))] if self.effects else []
        return [rkx.RolloutGroup(name="g"), *updates]

    @rkx.hookimpl
    def rkx_step(self, step: rkx.step.Step, results: rkx.step.Results) -> rkx.step.Verdict:
        left = [effect for effect in self.effects if effect not in results]
        self.brought = {**results}
        return rkx.step.Do(effects=tuple(left[:1])) if left else rkx.step.Done()


@pytest.fixture
def doing(make: Make) -> tuple[Site, Doing]:
    """Return a cluster that is up, whose next run takes a step."""
    site, service = make(), Doing()
    site.service = service
    site.done()
    return site, service


def ends(code: int, output: bytes) -> Callable[[Box], tuple[int, bytes]]:
    return lambda _box: (code, output)


def failure(site: Site) -> RkxError:
    error = site.up().error
    assert isinstance(error, RkxError)
    return error


@pytest.mark.whole
@pytest.mark.parametrize("code", [0, 3])
def test_a_task_brings_its_exit_code_and_output_and_is_gone(doing: tuple[Site, Doing], code: int) -> None:
    site, service = doing
    seen: list[Box] = []

    def work(box: Box) -> tuple[int, bytes]:
        seen.append(box)
        return code, b"saved 12 keys\n"

    site.world.engines["one"].tasks["etcdutl"] = work
    mount = rkx.Mount(source="/var/lib/tiny", target="/data")
    service.effects = [replace(TASK, mounts=(mount,), user="7:7", capabilities=("CHOWN",))]
    site.done()
    assert [*service.brought.values()] == [rkx.step.TaskResult(exit_code=code, output="saved 12 keys\n")]
    [box] = seen
    assert (box.config["Entrypoint"], box.config["Cmd"]) == (["etcdutl"], ["snapshot", "save"])
    assert box.config["User"] == "7:7"
    expected = {
        "NetworkMode": "none",
        "Privileged": False,
        "CapDrop": ["ALL"],
        "CapAdd": ["CHOWN"],
        "ReadonlyRootfs": True,
        "Binds": ["/var/lib/tiny:/data:rw"],
        "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
    }
    assert expected.items() <= box.host.items()
    assert not any(name.startswith("rkx-task") for name in site.world.engines["one"].boxes)


@pytest.mark.whole
def test_of_a_long_output_the_beginning_is_kept(doing: tuple[Site, Doing]) -> None:
    site, service = doing
    site.world.engines["one"].tasks["etcdutl"] = ends(0, b"x" * (1 << 20))
    service.effects = [replace(TASK, output_bytes=10)]
    site.done()
    assert [*service.brought.values()] == [rkx.step.TaskResult(exit_code=0, output="x" * 10, is_cut=True)]


@pytest.mark.whole
def test_an_output_without_an_end_is_cut(doing: tuple[Site, Doing]) -> None:
    site, service = doing
    engine = site.world.engines["one"]
    engine.tasks["etcdutl"] = ends(0, b"")
    plain = engine.answer

    def answer(request: Request) -> Response:
        if request.path.endswith("/logs"):
            return Response(pieces=_endless())
        return plain(request)

    engine.answer = answer  # type: ignore[method-assign]
    service.effects = [replace(TASK, output_bytes=10)]
    site.done()
    assert [*service.brought.values()] == [rkx.step.TaskResult(exit_code=0, output="\0" * 10, is_cut=True)]
    assert not any(name.startswith("rkx-task") for name in engine.boxes)


def _endless() -> Iterator[bytes]:
    yield b"\x01\0\0\0\xff\xff\xff\xff"
    while True:
        yield bytes(1 << 16)


@pytest.mark.whole
def test_a_task_that_does_not_end_is_ended(doing: tuple[Site, Doing], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "WAIT_S", 1)
    site, service = doing
    service.effects = [replace(TASK, timeout_s=0.2)]
    error = failure(site)
    assert "one: etcdutl did not end within 0.2 s" in error.message
    assert "its last words" in error.hint
    assert not any(name.startswith("rkx-task") for name in site.world.engines["one"].boxes)


@pytest.mark.whole
def test_what_a_killed_run_left_of_a_task_is_removed_by_the_next(doing: tuple[Site, Doing]) -> None:
    site, service = doing
    site.world.engines["one"].tasks["etcdutl"] = ends(0, b"")
    service.effects = [TASK]

    def cut() -> None:
        if site.world.effects[-1].startswith("one start rkx-task"):
            site.world.cut = (len(site.world.effects) + 1, "before")

    site.world.watcher = cut
    site.up()
    site.world.watcher = lambda: None
    site.world.revive()
    [left] = [name for name in site.world.engines["one"].boxes if name.startswith("rkx-task")]
    service.effects = []
    assert site.planned() == [("remove", f"one container {left}", "no longer wanted")]
    site.done()
    assert left not in site.world.engines["one"].boxes
    assert site.planned() == []


@pytest.mark.whole
def test_a_container_of_somebody_else_stays(doing: tuple[Site, Doing]) -> None:
    site, service = doing
    engine = site.world.engines["one"]
    engine.tasks["etcdutl"] = ends(0, b"")
    name = f"rkx-task-{tasks._digest(TASK)}"
    engine.boxes[name] = Box(name=name, config={"Image": "x", "Labels": {}})
    service.effects = [TASK]
    assert f"a container {name!r} that is not ours appeared" in failure(site).message
    assert name in engine.boxes


CONTENT = bytes(range(256)) * 5000


@pytest.mark.whole
def test_a_file_of_a_node_comes_here_whole_and_closed_to_others(doing: tuple[Site, Doing]) -> None:
    site, service = doing
    site.world.machines["one"].files[str(SAVED)] = Entry(content=CONTENT, mode=0o644)
    local = site.folder / "saved"
    service.effects = [rkx.step.CopyFile(node="one", path=SAVED, local=local, direction="from-node")]
    site.done()
    assert local.read_bytes() == CONTENT
    assert local.stat().st_mode & 0o777 == 0o600
    assert [*service.brought.values()] == [
        rkx.step.FileCopied(size_bytes=len(CONTENT), sha256=sha256(CONTENT).hexdigest())
    ]
    assert not any(name.startswith("rkx-copy") for name in site.world.engines["one"].boxes)
    assert sorted(path.name for path in site.folder.glob("*saved*")) == ["saved"]


@pytest.mark.whole
def test_a_file_goes_to_a_node(doing: tuple[Site, Doing]) -> None:
    site, service = doing
    local = site.folder / "saved"
    local.write_bytes(CONTENT)
    service.effects = [rkx.step.CopyFile(node="one", path=SAVED, local=local, direction="to-node")]
    site.done()
    there = site.world.machines["one"].files[str(SAVED)]
    assert (there.content, there.mode, there.uid) == (CONTENT, 0o600, 0)
    assert [*service.brought.values()] == [
        rkx.step.FileCopied(size_bytes=len(CONTENT), sha256=sha256(CONTENT).hexdigest())
    ]
    assert not any(name.startswith("rkx-copy") for name in site.world.engines["one"].boxes)


@pytest.mark.whole
@pytest.mark.parametrize(
    ("direction", "path", "entry", "why"),
    [
        ("from-node", SAVED, None, "one: /var/lib/tiny/saved is not there"),
        ("from-node", SAVED, Entry(), "one: /var/lib/tiny/saved is not a file"),
        ("from-node", PurePosixPath("/nowhere/saved"), None, "/nowhere"),
        ("from-node", SAVED, Entry(content=b"x" * 11), "larger than"),
        ("to-node", PurePosixPath("/nowhere/saved"), None, "/nowhere"),
        ("to-node", SAVED, None, "No such file or directory"),
    ],
)
def test_a_copy_that_cannot_be_says_why(
    doing: tuple[Site, Doing], direction: str, path: PurePosixPath, entry: Entry | None, why: str
) -> None:
    site, service = doing
    if entry is not None:
        site.world.machines["one"].files[str(path)] = entry
    local = site.folder / "saved"
    if direction == "to-node" and path != SAVED:
        local.write_bytes(b"x")
    copy = rkx.step.CopyFile(node="one", path=path, local=local, direction=direction, most_bytes=10)  # type: ignore[arg-type] # parametrized
    service.effects = [copy]
    assert why in failure(site).message
    assert direction == "to-node" or not local.exists()
    assert [path for path in site.folder.iterdir() if path.name.startswith(".saved")] == []
    assert "/nowhere" not in site.world.machines["one"].files


@pytest.mark.whole
def test_an_archive_that_ends_too_early_leaves_the_former_file(doing: tuple[Site, Doing]) -> None:
    site, service = doing
    site.world.machines["one"].files[str(SAVED)] = Entry(content=CONTENT)
    engine = site.world.engines["one"]
    plain = engine.answer

    def answer(request: Request) -> Response:
        found = plain(request)
        return replace(found, body=found.body[:100_000]) if request.query.get("path") == "/copy/saved" else found

    engine.answer = answer  # type: ignore[method-assign]
    local = site.folder / "saved"
    local.write_bytes(b"former")
    service.effects = [rkx.step.CopyFile(node="one", path=SAVED, local=local, direction="from-node")]
    assert "archive" in failure(site).message
    assert local.read_bytes() == b"former"


@pytest.mark.whole
def test_a_pipe_here_is_not_waited_for(doing: tuple[Site, Doing]) -> None:
    site, service = doing
    os.mkfifo(site.folder / "saved")
    service.effects = [rkx.step.CopyFile(node="one", path=SAVED, local=site.folder / "saved", direction="to-node")]
    assert "is not a regular file" in failure(site).message


LARGE = 96 << 20


def peak(work: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.whole
def test_a_large_file_is_sent_piece_by_piece(tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(LARGE)
    with path.open("rb") as file:
        counted = _Counted(WaitBudget(threading.Event()), LARGE, "large", float("inf"))
        packed = Packed(file, "large", counted)
        sizes: list[int] = []
        assert peak(lambda: sizes.append(sum(map(len, packed)))) < 8 << 20
    assert sizes == [len(packed)]
    assert counted.size == LARGE


def _sent(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from Packed(file, "saved", _Counted(WaitBudget(threading.Event()), LARGE, "large", float("inf")))


def test_a_copy_that_takes_longer_than_its_time_is_left_while_it_is_sent() -> None:
    counted = _Counted(WaitBudget(threading.Event()), LARGE, "one: /x", time.monotonic() - 1)
    with pytest.raises(PartlyDone, match="one: /x: the copy takes longer than its time"):
        list(counted.passed(iter([b"x"])))


@pytest.mark.whole
def test_a_large_file_comes_piece_by_piece(doing: tuple[Site, Doing]) -> None:
    site, service = doing
    path = site.folder / "source"
    with path.open("wb") as file:
        file.truncate(LARGE)
    engine = site.world.engines["one"]
    plain = engine.answer

    def answer(request: Request) -> Response:
        if request.query.get("path") != "/copy/saved":
            return plain(request)
        return Response(pieces=_sent(path))

    engine.answer = answer  # type: ignore[method-assign]
    local = site.folder / "saved"
    service.effects = [rkx.step.CopyFile(node="one", path=SAVED, local=local, direction="from-node")]
    assert peak(site.done) < 32 << 20
    assert local.stat().st_size == LARGE
