"""Conduct a run: prepare machines, apply plans, keep the state and its copies, leave nothing behind."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from rkx.engine.apply import Application, World
from rkx.engine.desire import Desired
from rkx.engine.files import keeps_state, state_copy
from rkx.engine.kubeconfig import kubeconfig_of
from rkx.engine.lock import NAME, Lock
from rkx.engine.recover import read_copy
from rkx.engine.visit import Visit
from rkx.errors import Refused, RkxError
from rkx.events import Event
from rkx.model.identity import ADMIN
from rkx.model.plan import Plan

KUBECONFIG = "kube_config_{name}"
"""RKE's name for the operator's kubeconfig: beside cluster.yml, with its name at the end."""


class Conducts(Protocol):
    """What a run gives: a name, a place for events, and a sign to stop."""

    name: str

    def emit(self, event: Event) -> None:
        """Add an event."""

    @property
    def cancelled(self) -> object:
        """Give the threading.Event that says stop."""


def prepare(visit: Visit, desired: Desired, found: Plan, run: Conducts, break_lock: str) -> None:
    """Install rkx-node where it is missing, so that the plan can rest on what it says; then look again.

    Credentials rest on nothing that a machine says, so they are issued in the meantime.
    """
    only = tuple(replace(action, after=()) for action in found.actions if action.verb in ("prepare", "issue"))
    _apply(visit, desired, Plan(cluster=found.cluster, actions=only), run, break_lock)
    visit.look()


def apply_plan(visit: Visit, desired: Desired, plan: Plan, run: Conducts, break_lock: str) -> None:
    """Apply a plan, and give the state's copies to the nodes that keep one, however it ends."""
    _apply(visit, desired, plan, run, break_lock)


def _apply(visit: Visit, desired: Desired, plan: Plan, run: Conducts, break_lock: str) -> None:
    if not visit.ledger.state.generation:
        visit.ledger.save()  # a newborn's id goes on the lock: it must not be forgotten
    with _lock(visit, run.name, break_lock) as lock:
        _refuse_older_state(visit, desired)
        visit.remember_nodes()
        world = World(
            plugins=visit.plugins,
            desired=desired,
            ledger=visit.ledger,
            links=visit.links,
            programs=visit.programs,
            api=visit.api,
            lock=lock,
            emit=run.emit,
            cancelled=run.cancelled,  # type: ignore[arg-type] # a threading.Event
        )
        try:
            Application(world, plan).run()
        except RkxError:
            with suppress(RkxError):  # what went wrong first is what the operator must know
                _copy_state(visit, desired)
            raise
        _copy_state(visit, desired)


def clear_lock(visit: Visit, run: Conducts, break_lock: str) -> None:
    """Take away a lock that a killed run left, where nothing else is to be done."""
    if any(NAME in seen.containers for seen in visit.seen.values()):
        with _lock(visit, run.name, break_lock):
            pass


def _refuse_older_state(visit: Visit, desired: Desired) -> None:
    """Refuse to go on with a state that another run, from elsewhere, has left behind."""
    for name in (name for name in visit.links if keeps_state(desired, name)):
        copy = read_copy(visit.links[name])
        state = visit.ledger.state
        if copy is not None and copy.cluster_id == state.cluster_id and copy.generation > state.generation:
            raise Refused(
                f"{visit.state_file.path}: generation {state.generation} is older than {copy.generation} on {name}",
                hint="move the file away: the newer one is taken from the node",
            )


@contextmanager
def _lock(visit: Visit, run: str, break_lock: str) -> Iterator[Lock]:
    names = [node.name for node in visit.cluster.with_role("etcd") if node.name in visit.links]
    lock = Lock([visit.links[name] for name in names], visit.programs, run, break_lock)
    lock.take()
    try:
        yield lock
    finally:
        lock.release()


def _copy_state(visit: Visit, desired: Desired) -> None:
    names = [name for name in visit.programs if keeps_state(desired, name) and name in visit.ledger.state.nodes]
    prepared = [name for name in names if visit.ledger.state.nodes[name].facts]
    with ThreadPoolExecutor(8) as pool:
        copies: Sequence[object] = list(
            pool.map(lambda name: visit.programs[name].batch("files", state_copy(visit.ledger)), prepared)
        )
    del copies


def forget(visit: Visit, cluster_file: Path) -> None:
    """Delete the state and the kubeconfig of a cluster that is gone."""
    visit.state_file.delete()
    kubeconfig_path(cluster_file).unlink(missing_ok=True)


def kubeconfig_path(cluster_file: Path) -> Path:
    """Give the place of the operator's kubeconfig."""
    return cluster_file.with_name(KUBECONFIG.format(name=cluster_file.name))


def write_kubeconfig(visit: Visit, cluster_file: Path) -> None:
    """Write the operator's kubeconfig, 0600, whole or not at all, unless it is as it should be."""
    if ADMIN not in visit.ledger.state.credentials:
        return
    content = kubeconfig_of(visit.cluster, visit.ledger)
    path = kubeconfig_path(cluster_file)
    if path.exists() and path.read_bytes() == content and path.stat().st_mode & 0o777 == 0o600:
        return
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    beside.rename(path)
