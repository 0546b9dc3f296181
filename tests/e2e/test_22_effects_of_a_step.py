"""What a plugin's step may do on a machine beside requests: a task, and copies of a file both ways."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest
from harness import Cluster

import rkx
from rkx import api
from rkx.errors import PartlyDone
from rkx.reconcile import tasks
from rkx.reconcile.effects import Effects
from rkx.reconcile.gather import gather
from rkx.reconcile.opening import Opened
from rkx.reconcile.wait_budget import WaitBudget

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]
SIZE = 70 << 20
"""More than any answer of an Engine may hold that is kept in memory."""


@pytest.fixture
def opened(cluster: Cluster) -> Iterator[Opened]:
    with api._opened(api.load(cluster.file), api.Options(), writes=False) as found:
        yield found


@pytest.fixture
def effects(opened: Opened) -> Effects:
    context = opened.context
    budget = WaitBudget(threading.Event())
    links, registries = context.connections.links, context.cluster.registries
    return Effects(context.programs, links, context.store, registries, budget, lambda: None)


@pytest.fixture
def server(opened: Opened) -> rkx.Container:
    """The API server of the first machine, whose image is there."""
    resources = gather(opened.context, opened.observer.nodes).resources.values()
    return next(each for each in resources if isinstance(each, rkx.Container) and each.name == "kube-apiserver")


@pytest.mark.parametrize(("option", "code", "words"), [("--version", 0, "Kubernetes v1."), ("--no-such", 1, "unknown")])
def test_a_task_tells_how_it_ended_and_leaves_nothing(
    cluster: Cluster, effects: Effects, server: rkx.Container, option: str, code: int, words: str
) -> None:
    task = rkx.step.RunTask(node=server.node, image=server.image, argv=("kube-apiserver", option), timeout_s=60)
    before = cluster.every_container()
    result = effects.carry_out(task)
    assert isinstance(result, rkx.step.TaskResult)
    assert (result.exit_code, words in result.output) == (code, True), result
    assert cluster.every_container() == before


def test_a_task_is_waited_for_again_and_again(
    effects: Effects, server: rkx.Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "WAIT_S", 1)
    task = rkx.step.RunTask(node=server.node, image=server.image, argv=("sleep", "3"), timeout_s=60)
    assert effects.carry_out(task) == rkx.step.TaskResult(exit_code=0)


def test_a_large_file_comes_and_goes_unchanged(
    cluster: Cluster, effects: Effects, server: rkx.Container, tmp_path: Path
) -> None:
    there, here = PurePosixPath("/var/lib/copied"), tmp_path / "copied"
    digest = cluster.on(
        server.node, "sh", "-c", f"mkdir {there}; head -c {SIZE} /dev/urandom | tee {there}/a | sha256sum"
    )
    fetched = effects.carry_out(
        rkx.step.CopyFile(node=server.node, path=there / "a", local=here, direction="from-node", timeout_s=120)
    )
    assert fetched == rkx.step.FileCopied(size_bytes=SIZE, sha256=digest.split()[0])
    assert hashlib.sha256(here.read_bytes()).hexdigest() == digest.split()[0]
    assert here.stat().st_mode & 0o777 == 0o600
    sent = effects.carry_out(
        rkx.step.CopyFile(node=server.node, path=there / "b", local=here, direction="to-node", timeout_s=120)
    )
    assert sent == fetched
    shown = cluster.on(server.node, "sh", "-c", f"sha256sum < {there}/b; stat -c '%a %u %g' {there}/b; rm -r {there}")
    assert shown.split() == [digest.split()[0], "-", "600", "0", "0"]


def test_a_file_that_is_not_there_is_named_and_nothing_is_left(
    cluster: Cluster, effects: Effects, server: rkx.Container, tmp_path: Path
) -> None:
    before = cluster.every_container()
    missing = PurePosixPath("/var/lib/no-such")
    copy = rkx.step.CopyFile(node=server.node, path=missing, local=tmp_path / "x", direction="from-node")
    with pytest.raises(PartlyDone, match="/var/lib/no-such is not there"):
        effects.carry_out(copy)
    assert cluster.every_container() == before
    assert [*tmp_path.iterdir()] == []
