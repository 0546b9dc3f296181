"""Run a container once on a node: what it says and how it ends is all that is left of it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil
from typing import Any

from rkx.errors import Interrupted, NotReady
from rkx.model.cluster import PrivateRegistry
from rkx.model.resource import Container
from rkx.model.step import RunTask, TaskResult
from rkx.reconcile import containers
from rkx.reconcile.bounds import ENGINE, MIB, Limit
from rkx.reconcile.engine import Engine
from rkx.reconcile.frames import frames
from rkx.reconcile.link import Link
from rkx.reconcile.probe import last_lines
from rkx.reconcile.state_store import StateStore
from rkx.reconcile.wait_budget import WaitBudget

WAIT_S = 5
"""How long one request waits for the end; a cancelled run is noticed in between."""
MOST_CODE = 255


def run_task(
    link: Link, task: RunTask, store: StateStore, registries: tuple[PrivateRegistry, ...], budget: WaitBudget
) -> TaskResult:
    """Run a task to its end; NotReady if it has none in time."""
    containers.pull(link, task.image, registries)
    wanted = Container(
        node=task.node,
        name=f"rkx-task-{_digest(task)}",
        image=task.image,
        argv=task.argv,
        mounts=task.mounts,
        network=task.network,
        read_only=True,
        user=task.user,
        capabilities=task.capabilities,
    )
    with once(link, wanted, store) as name:
        code = _code(link, name, task, budget)
        return _result(link, name, code, task.output_bytes)


def _digest(task: RunTask) -> str:
    return hashlib.sha256(repr(task).encode()).hexdigest()[:12]


@contextmanager
def once(link: Link, wanted: Container, store: StateStore, **host: Any) -> Iterator[str]:  # noqa: ANN401 - as the Engine has it
    """Lend a container that is made but not started, and remove it; one that a killed run left is recreated.

    It bears the cluster's label: the next plan removes it if this run cannot.
    """
    config = containers.settings(wanted, store, "")
    config["HostConfig"] |= {"RestartPolicy": dict(containers.NEVER), **host}
    _discard(link, wanted.name, store)
    try:
        with link.docker() as engine:
            engine.create(config, wanted.name)
        yield wanted.name
    finally:
        _discard(link, wanted.name, store)


def _discard(link: Link, name: str, store: StateStore) -> None:
    with link.docker() as engine:
        containers.discard(engine, name, store)


def _code(link: Link, name: str, task: RunTask, budget: WaitBudget) -> int:
    since = time.monotonic()
    with link.docker(limit=Limit(size=MIB, seconds=task.timeout_s + 2 * WAIT_S)) as engine:
        engine.start(name)
        while (left := since + task.timeout_s - time.monotonic()) > 0:
            if budget.cancelled.is_set():
                raise Interrupted(f"{task.node}: cancelled while {task.argv[0]} ran")
            if (code := _ended(engine, name, min(WAIT_S, ceil(left)))) is not None:
                return code
    raise NotReady(
        f"{task.node}: {task.argv[0]} did not end within {task.timeout_s:g} s",
        hint=f"its last lines:\n{last_lines(link, name)}",
    )


def _ended(engine: Engine, name: str, seconds: int) -> int | None:
    try:
        return engine.wait(name, seconds).count("StatusCode", MOST_CODE)
    except TimeoutError:
        return None


def _result(link: Link, name: str, code: int, most: int) -> TaskResult:
    """Read the beginning of what a task said, and no more of it."""
    output = bytearray()
    with link.http(limit=Limit(size=most + MIB, seconds=ENGINE.seconds)) as engine:
        asked = {"stdout": "1", "stderr": "1"}
        with engine.get(f"/containers/{name}/logs", params=asked, stream=True) as answer:
            for _, piece in frames(answer.checked().file()):
                output += piece
                if len(output) > most:
                    break
    text = bytes(output[:most]).decode(errors="replace")
    return TaskResult(exit_code=code, output=text, is_cut=len(output) > most)
