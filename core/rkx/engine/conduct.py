"""Conduct a run: one lock from the first change to the last, machines prepared, plans applied, the state copied."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from rkx.engine.copies import keepers, read_mark
from rkx.engine.desire import Desired
from rkx.engine.files import state_copy
from rkx.engine.kubeconfig import kubeconfig_path
from rkx.engine.lock import Lock
from rkx.engine.node import LOCK
from rkx.engine.visit import Visit
from rkx.errors import RkxError, TransportError
from rkx.events import Event
from rkx.model.plan import Action, Plan

AT_ONCE = 8


class Conducts(Protocol):
    """What a run gives: a name, a place for events, and a sign to stop."""

    name: str

    def emit(self, event: Event) -> None:
        """Add an event."""

    @property
    def cancelled(self) -> threading.Event:
        """Give the event that says stop."""


class Conductor:
    """Changes the nodes of one visit; takes the lock before the first change and gives it back at the end."""

    def __init__(self, visit: Visit, run: Conducts, break_lock: str) -> None:
        self._visit, self._run = visit, run
        names = [node.name for node in visit.cluster.with_role("etcd") if node.name in visit.links]
        self._lock = Lock([visit.links[name] for name in names], visit.programs, run.name, break_lock)
        self._early = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="early")
        self._begun = False

    def __enter__(self) -> Conductor:
        return self

    def __exit__(self, *_error: object) -> None:
        self._early.shutdown(wait=False, cancel_futures=True)
        self._lock.release()

    def prepare(self, desired: Desired, plan: Plan) -> None:
        """Install rkx-node where it is missing, so that the plan can rest on what it says; then look again.

        Credentials and images rest on nothing that a machine says: the former are issued in the meantime, the latter
        begin to come; the plan's own pulls join them.
        """
        only = tuple(replace(action, after=()) for action in plan.actions if action.verb in ("prepare", "issue"))
        for action in plan.actions:
            if action.verb == "pull" and action.key.node not in self._visit.doubtful:
                self._early.submit(self._pull, desired, action)
        self.apply(desired, Plan(cluster=plan.cluster, actions=only))
        self._visit.look()

    def _pull(self, desired: Desired, action: Action) -> None:
        from rkx.engine import containers

        with contextlib.suppress(RkxError):  # the plan's own pull tells
            containers.pull(self._visit.links[action.key.node], action.key.name, desired.cluster.registries)

    def apply(self, desired: Desired, plan: Plan) -> None:
        """Apply a plan, and give the state's copies to the nodes that keep one, however it ends."""
        from rkx.engine.apply import Application, World  # a run with nothing to do needs none of it

        self._begin(desired)
        visit = self._visit
        world = World(
            plugins=visit.plugins,
            desired=desired,
            ledger=visit.ledger,
            links=visit.links,
            programs=visit.programs,
            api=visit.api,
            lock=self._lock,
            emit=self._run.emit,
            cancelled=self._run.cancelled,
        )
        try:
            Application(world, plan).run()
        except RkxError:
            with contextlib.suppress(RkxError):  # what went wrong first is what the operator must know
                self._copy_state(desired)
            raise
        self._copy_state(desired)

    def _begin(self, desired: Desired) -> None:
        if self._begun:
            return
        if not self._visit.ledger.state.generation:
            self._visit.ledger.save()  # a newborn's id goes on the lock: it must not be forgotten
        self._lock.take()
        self._refuse_older(desired)
        self._visit.remember_nodes()
        self._begun = True

    def _refuse_older(self, desired: Desired) -> None:
        """Look at the copies again: another run may have ended since they were seen."""
        for name, link in self._visit.links.items():
            if name in keepers(desired.cluster) and (copy := read_mark(link)) is not None:
                self._visit.refuse_older(name, copy)

    def clear_lock(self) -> None:
        """Take away a lock that a killed run left, where nothing else is to be done."""
        if not self._begun and any(LOCK in seen.containers for seen in self._visit.seen.values()):
            self._lock.take()

    def _copy_state(self, desired: Desired) -> None:
        self._lock.check()  # a run whose lock was broken must not put its state over its successor's
        records = self._visit.ledger.state.nodes
        names = [name for name in keepers(desired.cluster) & self._visit.programs.keys() if name in records]
        prepared = [name for name in names if records[name].facts]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for sent in [pool.submit(self._send_copy, name) for name in prepared]:
                sent.result()

    def _send_copy(self, name: str) -> None:
        try:
            self._put_copy(name)
        except TransportError as error:
            if name not in self._visit.allowed_unreachable:
                raise
            self._visit.unreachable[name] = error

    def _put_copy(self, name: str) -> None:
        program = self._visit.programs[name]
        program.refuse_other_state()  # what ended the run may be that it lies there
        program.batch("files", state_copy(self._visit.ledger))


def forget(visit: Visit, cluster_file: Path) -> None:
    """Delete the state and the kubeconfig of a cluster that is gone."""
    visit.state_file.delete()
    kubeconfig_path(cluster_file).unlink(missing_ok=True)
