"""One run at a time changes a cluster: the lock is taken before its first change, and given back at its end."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from types import TracebackType

from msgspec.structs import replace

from rkx.errors import Locked
from rkx.reconcile.context import Context
from rkx.reconcile.lock import LOST, Lock
from rkx.reconcile.members import all_keepers, lock_groups
from rkx.reconcile.state_copies import read_header
from rkx.reconcile.state_copy_rules import refuse_older


class RunLock:
    """The lock of one run on a cluster's nodes. One that is ``leaving`` does without lock nodes that are ``lost``."""

    def __init__(self, context: Context, run: str, break_lock: str, *, leaving: bool = False) -> None:
        self._context, self._run = context, run
        self._break_lock, self._leaving = break_lock, leaving
        self.is_taken = False

    def __enter__(self) -> RunLock:
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        self._guard(None)
        self.nodes.release()

    @cached_property
    def nodes(self) -> Lock:
        """Return the lock on the nodes that are there when it is taken: a plan may have left out some."""
        context = self._context
        groups, links = lock_groups(context.cluster, context.store.began), context.connections.links
        names = dict.fromkeys(name for group in groups for name in group if name in links)
        if self._leaving and self._break_lock == LOST:
            groups = [[*names]] if names else []
        return Lock([links[name] for name in names], groups, context.programs, self._run, self._break_lock)

    def take(self) -> None:
        """Take the lock; Locked where another run has it, Refused where another one changed the cluster meanwhile."""
        context = self._context
        if not context.state.generation:
            context.store.save()  # a newborn's id goes on the lock: it must not be forgotten
        self._take()
        self._refuse_older()
        self.is_taken = True

    def _take(self) -> None:
        """Take it. The state remembers the run's number by its generation, which no later run's is below."""
        store = self._context.store
        try:
            self.nodes.take(store.state.generation + 1)
        except Locked:
            if self._is_new() and not self.nodes.is_held:
                self._context.path.unlink(missing_ok=True)  # whoever holds the lock has the cluster's state
            raise
        number = self.nodes.number
        last = lambda s: replace(s, generation=max(s.generation, number - 1), run=self._run, number=number)  # noqa: E731
        store.change(last, save=False)
        self._guard(self.nodes.confirm)
        self.show()

    def _is_new(self) -> bool:
        """Return whether this run wrote the first state, or one that did nothing: nothing was applied with it."""
        return self._context.is_new or not self._context.state.nodes

    def _guard(self, guard: Callable[[], None] | None) -> None:
        for link in self._context.connections.links.values():
            link.guard = guard

    def show(self) -> None:
        """Have each batch say under which lock it is sent."""
        for program in self._context.programs.values():
            program.hold = self.nodes.hold

    def _refuse_older(self) -> None:
        """Look at the copies again: another run may have ended since they were seen."""
        context = self._context
        known = all_keepers(context.cluster, context.store.began)
        for name, link in context.connections.links.items():
            if name in known and (copy := read_header(link)) is not None:
                refuse_older(context, name, copy)
