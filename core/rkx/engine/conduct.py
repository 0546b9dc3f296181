"""Conduct a run: one lock from the first change to the last, machines prepared, plans applied, the state copied."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Protocol

from rkx.engine.copies import keepers, read_mark
from rkx.engine.desire import Desired
from rkx.engine.files import state_copy
from rkx.engine.kubeconfig import kubeconfig_path
from rkx.engine.layout import NAMES
from rkx.engine.lock import LOST, Lock
from rkx.engine.members import all_keepers, lock_groups
from rkx.engine.node import LOCK
from rkx.engine.state import Mark
from rkx.engine.visit import Visit
from rkx.errors import Locked, RkxError, TransportError
from rkx.events import Event
from rkx.model.action import IssueCredentials, PrepareNode, PullImage
from rkx.model.plan import Plan

AT_ONCE = 8
Early = PrepareNode | IssueCredentials


class Conducts(Protocol):
    """What a run gives: a name, a place for events, and a sign to stop."""

    name: str

    def emit(self, event: Event) -> None:
        """Add an event."""

    @property
    def cancelled(self) -> threading.Event:
        """Give the event that says stop."""


class Conductor:
    """Changes the nodes of one visit; takes the lock before the first change and gives it back at the end.

    One that is ``leaving`` takes a cluster down: told that lock nodes are ``lost``, it does without them.
    """

    def __init__(self, visit: Visit, run: Conducts, break_lock: str, *, leaving: bool = False) -> None:
        self._visit, self._run = visit, run
        self._break_lock, self._leaving = break_lock, leaving
        self._early = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="early")
        self._begun = False

    @cached_property
    def _lock(self) -> Lock:
        """Give the lock on the nodes that are there when it is taken: a plan may have left out some."""
        visit = self._visit
        groups = lock_groups(visit.cluster, visit.ledger.began)
        names = dict.fromkeys(name for group in groups for name in group if name in visit.links)
        if self._leaving and self._break_lock == LOST:
            groups = [[*names]] if names else []
        links = [visit.links[name] for name in names]
        return Lock(links, groups, visit.programs, self._run.name, self._break_lock)

    def __enter__(self) -> Conductor:
        return self

    def __exit__(self, *_error: object) -> None:
        self._early.shutdown(wait=False, cancel_futures=True)
        self._guard(None)
        self._lock.release()

    def prepare(self, desired: Desired, plan: Plan) -> None:
        """Install rkx-node where it is missing, so that the plan can rest on what it says; then look again.

        Credentials and images rest on nothing that a machine says: the former are issued in the meantime, the latter
        begin to come; the plan's own pulls join them.
        """
        only = tuple(replace(action, after=()) for action in plan.actions if isinstance(action, Early))
        for action in plan.actions:
            if isinstance(action, PullImage) and action.node not in self._visit.doubtful:
                self._early.submit(self._pull, desired, action)
        self.apply(desired, Plan(cluster=plan.cluster, actions=only), leave_out=self._visit.leave_out)
        self._visit.look()
        self._visit.judge_copies()
        self._show_lock()

    def _pull(self, desired: Desired, action: PullImage) -> None:
        from rkx.engine import containers

        with contextlib.suppress(RkxError):  # the plan's own pull tells
            containers.pull(self._visit.links[action.node], action.image, desired.cluster.registries)

    def ask_again(self, desired: Desired) -> None:
        """Ask prepared machines anew where what they said last is why they are refused."""
        from rkx.engine import preflight, takedown

        visit = self._visit
        names = preflight.judged_by_host(visit.plugins, desired)
        asked = [name for name in sorted(names) if NAMES["host"] in visit.seen[name].containers]
        if asked:
            self._begin(desired)
            with ThreadPoolExecutor(AT_ONCE) as pool:
                answers = {n: pool.submit(takedown.ask_again, visit.programs[n], visit.ledger) for n in asked}
            for name, answer in answers.items():
                error = answer.exception()
                if error is not None and not (isinstance(error, RkxError) and visit.leave_out(name, error)):
                    raise error

    def apply(
        self,
        desired: Desired,
        plan: Plan,
        noting: Callable[[], None] | None = None,
        leave_out: Callable[[str, RkxError], bool] | None = None,
    ) -> None:
        """Apply a plan, and give the state's copies to the nodes that keep one, however it ends.

        ``noting`` writes into the state, before it is copied, what holds once all is done. What fails is shown to
        ``leave_out``, and is no failure of the run where that goes on without the node; unless told otherwise, one
        that may be away and answers what cannot be is left out.
        """
        from rkx.engine.apply import Application
        from rkx.engine.execute import World  # a run with nothing to do needs none of it

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
            optional=visit.optional,
            cancelled=self._run.cancelled,
        )
        try:
            Application(world, plan).run(leave_out or visit.leave_bad)
            if noting is not None:
                noting()
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
        self._take()
        self._refuse_older(desired)
        self._visit.remember_nodes()
        self._begun = True

    def _take(self) -> None:
        """Take the lock. The state remembers the run's number by its generation, which no later run's is below."""
        ledger = self._visit.ledger
        try:
            self._lock.take(ledger.state.generation + 1)
        except Locked:
            if self._is_fresh() and not self._lock.is_held:
                self._visit.state_file.path.unlink(missing_ok=True)  # whoever holds the lock has the cluster's state
            raise
        number = self._lock.number
        last = lambda s: replace(s, generation=max(s.generation, number - 1), run=self._run.name, number=number)  # noqa: E731
        ledger.change(last, save=False)
        self._guard(self._lock.confirm)
        self._show_lock()

    def _is_fresh(self) -> bool:
        """Tell if the state was first written by this run, or by one that did nothing: nothing was applied with it."""
        return self._visit.fresh or not self._visit.ledger.state.nodes

    def _guard(self, guard: Callable[[], None] | None) -> None:
        for link in self._visit.links.values():
            link.guard = guard

    def _show_lock(self) -> None:
        """Have each batch say under which lock it is sent."""
        for program in self._visit.programs.values():
            program.hold = self._lock.hold

    def _refuse_older(self, desired: Desired) -> None:
        """Look at the copies again: another run may have ended since they were seen."""
        known = all_keepers(desired.cluster, self._visit.ledger.began)
        for name, link in self._visit.links.items():
            if name in known and (copy := read_mark(link)) is not None:
                self._visit.refuse_older(name, copy)

    def settle(self, desired: Desired) -> None:
        """Do what is left where no action is: a killed run's lock goes, and copies that did not arrive are sent."""
        seen = self._visit.seen
        locked = any(LOCK in each.containers for each in seen.values())
        late = [name for name in keepers(desired.cluster) & seen.keys() if self._is_late(seen[name].copy)]
        if not self._begun and (locked or late):
            self._begin(desired)
            self._copy_state(desired)

    def _is_late(self, copy: Mark | None) -> bool:
        """Tell if a copy is another than should be there; that of another cluster is left, and refused at a change."""
        state = self._visit.ledger.state
        if copy is None:
            return True
        return copy.cluster_id == state.cluster_id and not (copy.is_of(state) and copy.generation == state.generation)

    def _copy_state(self, desired: Desired) -> None:
        self._lock.check()  # a run whose lock was broken must not put its state over its successor's
        records = self._visit.ledger.state.nodes
        names = [name for name in keepers(desired.cluster) & self._visit.programs.keys() if name in records]
        prepared = [name for name in names if records[name].was_asked]
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
