"""The loop of a run: observe, plan, confirm, execute, until nothing is left to do or something failed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from rkx.errors import PartlyDone, PlanStale, PreflightFailed, Refused, RkxError
from rkx.events import PlanReady, ProblemFound
from rkx.model.plan import Confirmation, Plan
from rkx.reconcile import hosts, observe_and_plan
from rkx.reconcile.desired import Desired
from rkx.reconcile.image_prefetch import ImagePrefetch
from rkx.reconcile.kubeconfig import write_kubeconfig
from rkx.reconcile.node import LOCK
from rkx.reconcile.observe_and_plan import Planned
from rkx.reconcile.opening import Opened
from rkx.reconcile.records import remember_nodes, remember_version
from rkx.reconcile.reporter import Reporter
from rkx.reconcile.run_lock import RunLock
from rkx.reconcile.send_state_copies import are_late, send_copies

Accept = Callable[[Sequence[Confirmation]], bool]
"""Agrees, or not, to what would lose data or service."""
LeaveOut = Callable[[str, RkxError], bool]


class Reconciler:
    """Brings a cluster from what is to what is desired. One thread drives it."""

    def __init__(self, opened: Opened, run: Reporter, lock: RunLock, accept: Accept) -> None:
        self._opened, self._run, self._lock, self._accept = opened, run, lock, accept
        self._context, self._observer = opened.context, opened.observer
        self._confirmed: set[Confirmation] = set()
        self._prepared: set[str] = set()
        self._is_done = False

    def up(self, given: Plan | None = None) -> Desired:
        """Bring the cluster up, in rounds, and return what it is now.

        Raises PlanStale if the first plan is another than the one that was ``given``, or the cluster is new.
        """
        planned = self._first()
        if given is not None:
            self._refuse_stale(given, planned[1])
        with ImagePrefetch(self._context) as images:
            while self._round(planned, images):
                planned = observe_and_plan.fit(self._opened)
        return planned[0]

    def _refuse_stale(self, given: Plan, now: Plan) -> None:
        if self._context.is_new:
            raise PlanStale("the cluster has no keys yet, so a plan of it is not the same twice", hint="run rkx up")
        if (given.actions, given.digest) != (now.actions, now.digest):
            raise PlanStale("nodes or contents are not as they were planned", hint="plan again, then apply that")

    def remove(self) -> None:
        """Take the cluster down, in one round."""
        planned = observe_and_plan.plan_removal(self._opened)
        self._announce(planned[1])
        self._confirm(planned[1])
        if not planned[1].is_empty:
            self._execute(planned, self._observer.leave_out_bad)

    def _first(self) -> Planned:
        """Plan; a machine that is unfit by what it said last is asked once more, for it may have been repaired."""
        try:
            return observe_and_plan.plan(self._opened)
        except PreflightFailed:
            self._refresh_hosts()
        return observe_and_plan.fit(self._opened)

    def _refresh_hosts(self) -> None:
        names = hosts.to_ask_again(self._context, self._observer.nodes)
        if not names:
            return
        self._begin()
        for name, error in hosts.ask_again(self._context, names).items():
            if not self._observer.leave_out(name, error):
                raise error

    def _round(self, planned: Planned, images: ImagePrefetch) -> bool:
        """Confirm a plan and carry out what of it is certain; tell whether more is to be planned then.

        What a plan says of machines that were never prepared is a guess, so these are prepared first, once in a run.
        """
        desired, plan = planned
        self._confirm(plan)
        new = plan.prepared - self._prepared
        if new:
            self._prepared |= new
            images.begin(desired, plan, self._observer.doubtful)
            self._execute((desired, plan.preparation()), self._observer.leave_out)
            self._look(new & self._observer.nodes.keys())
            return True
        self._announce(plan)
        try:
            return self._complete(planned)
        finally:
            write_kubeconfig(self._context.cluster, self._context.store, self._context.cluster_file)

    def _complete(self, planned: Planned) -> bool:
        """Carry out a whole plan; tell whether the API, silent when it was made, showed more to do."""
        if planned[1].is_empty:
            remember_version(self._context)
            self._settle()
            return False
        is_more = self._execute(planned, self._observer.leave_out_bad, lambda: remember_version(self._context))
        self._is_done = True
        if is_more:
            self._look()
        return is_more

    def _announce(self, plan: Plan) -> None:
        for finding in plan.findings:
            self._run.emit(ProblemFound(node=finding.node, message=finding.message, hint=finding.hint))
        self._run.emit(PlanReady(actions=len(plan.actions), plan=plan))

    def _confirm(self, plan: Plan) -> None:
        """Ask the operator for what would lose data or service, once for each."""
        asks = [danger for danger in plan.confirmations if danger not in self._confirmed]
        self._confirmed |= {*asks}
        if not asks or self._accept(asks):
            return
        hint = "answer yes, or give --yes"
        if self._is_done:
            raise PartlyDone(f"not confirmed yet: {', '.join(a.what for a in asks)}; all the rest is done", hint=hint)
        raise Refused(f"not confirmed: {'; '.join(f'{a.what} ({a.why})' for a in asks)}", hint=hint)

    def _look(self, names: Iterable[str] | None = None) -> None:
        """Observe again what a round changed, and judge it as the first time; batches go on under the lock."""
        self._observer.look(names)
        self._observer.check_machines()
        self._observer.judge_copies()
        self._lock.show()

    def _execute(self, planned: Planned, leave_out: LeaveOut, noting: Callable[[], None] | None = None) -> bool:
        """Carry out a plan, and give the state's copies to the nodes that keep one, however it ends.

        ``noting`` writes into the state, before it is copied, what holds once all is done. What fails is shown to
        ``leave_out``, and does not fail the run where that goes on without the node.
        """
        from rkx.reconcile.execute import ApplyContext
        from rkx.reconcile.plan_executor import PlanExecutor  # a run with nothing to do needs none of it

        desired, plan = planned
        self._begin()
        try:
            world = ApplyContext.of(self._context, desired, self._lock.nodes, self._run)
            is_more = PlanExecutor(world, plan).run(leave_out)
            if noting is not None:
                noting()
        except RkxError:
            with suppress(RkxError):  # what went wrong first is what the operator must know
                self._send_copies()
            raise
        self._send_copies()
        return is_more

    def _begin(self) -> None:
        """Take the lock before the first change; the state names the cluster's nodes before anything is put there."""
        if not self._lock.is_taken:
            self._lock.take()
            remember_nodes(self._context, self._observer.nodes)

    def _settle(self) -> None:
        """Do what is left where no action is: a killed run's lock goes, and copies that did not arrive are sent."""
        nodes = self._observer.nodes
        if not self._lock.is_taken and (
            are_late(self._context, nodes) or any(LOCK in n.containers for n in nodes.values())
        ):
            self._begin()
            self._send_copies()

    def _send_copies(self) -> None:
        self._lock.nodes.check()  # a run whose lock was broken must not put its state over its successor's
        self._observer.unreachable |= send_copies(self._context)
