"""Apply a plan: its units on the graph, each with its events; then what failed, as one error."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from rkx.errors import ApplyFailed, Interrupted, Locked, NotReady, Refused, RkxError, TransportError
from rkx.events import ActionFailed, ActionFinished, ActionStarted
from rkx.model.action import ContainerAction, TakeStep, WaitAction
from rkx.model.plan import Plan
from rkx.reconcile.execute import ApplyContext, Executor
from rkx.reconcile.graph import Graph
from rkx.reconcile.order import about, within
from rkx.reconcile.rollout import RolloutQueue
from rkx.reconcile.units import Unit, units
from rkx.reconcile.wait_budget import WaitBudget


class PlanExecutor:
    """One plan being applied."""

    def __init__(self, world: ApplyContext, plan: Plan) -> None:
        self._world, self._plan = world, plan
        self._budget = WaitBudget(world.cancelled, world.optional)
        self._rollout = RolloutQueue(plan.groups, plan.updates, {action.key for action in plan.actions})
        self._graph = Graph(units(plan.actions), self._work, self._budget, self._rollout)
        self._executor = Executor(world, plan, self._budget)

    def run(self, leave_out: Callable[[str, RkxError], bool]) -> bool:
        """Apply all; tell whether more came up meanwhile that the operator must be asked for.

        Raises ApplyFailed, NotReady or Interrupted with what is left. What fails is shown to ``leave_out`` with its
        node; true takes it out of what is raised, unless others wait for it.
        """
        self._executor.objects.intend(self._plan.actions)
        self._graph.run()
        self._world.store.save()
        failures = {unit: _error(error) for unit, error in self._graph.failures.items()}
        kept = {unit: error for unit, error in failures.items() if not leave_out(unit.node, error)}
        aside = {unit.node for unit in failures.keys() - kept.keys()}
        waiting = [unit for unit in self._graph.left if about(unit.actions[0]) not in aside]
        self._judge({_label(unit): error for unit, error in (kept or (failures if waiting else {})).items()}, waiting)
        return bool(self._executor.left)

    def _judge(self, failures: Mapping[str, RkxError], waiting: Sequence[Unit]) -> None:
        left = [_label(unit) for unit in waiting]
        if self._world.cancelled.is_set():
            count = "1 action is" if len(left) == 1 else f"{len(left)} actions are"
            raise Interrupted(f"cancelled; {count} left", hint="run rkx again to finish")
        if left and not failures:
            raise RkxError(f"a bug in rkx: these wait for each other: {', '.join(left)}")
        if failures and self._all_changed(waiting) and all(isinstance(error, NotReady) for error in failures.values()):
            raise _not_ready(failures)
        if len(failures) == 1 and self._only_waits(waiting):
            [only] = failures.values()
            raise ApplyFailed(only.message, hint=only.hint) if isinstance(only, TransportError | NotReady) else only
        if alike := self._alike(failures, waiting):
            raise alike
        if failures:
            hints = dict.fromkeys(error.hint for error in failures.values() if error.hint)
            again = f"run rkx again to finish; not tried: {', '.join(left)}" if left else "run rkx again to finish"
            raise ApplyFailed(_lines(failures), hint="; ".join([*hints, again]), failures=failures, left=left)

    def _alike(self, failures: Mapping[str, RkxError], waiting: Sequence[Unit]) -> RkxError | None:
        """Return one error for all: where the lock alone is the trouble, or a refusal and only waits are left."""
        for kind in (Locked, Refused) if self._only_waits(waiting) else (Locked,):
            if failures and all(isinstance(error, kind) for error in failures.values()):
                return kind(_lines(failures), hint=next(iter(failures.values())).hint)
        return None

    def _all_changed(self, waiting: Sequence[Unit]) -> bool:
        """Return whether what failed and what is left waits for something, and changes nothing any more."""
        others = [u for u in self._graph.failures if not isinstance(u.actions[0], ContainerAction | TakeStep)]
        return all(isinstance(action, WaitAction) for unit in (*waiting, *others) for action in unit.actions)

    def _only_waits(self, units: Iterable[Unit]) -> bool:
        """Return whether units change nothing, but for those of an update of which something failed."""
        failed = self._rollout.together(key for unit in self._graph.failures for key in unit.keys)
        return all(isinstance(a, WaitAction) or a.key in failed for unit in units for a in unit.actions)

    def _work(self, unit: Unit) -> Sequence[Unit]:
        started = time.monotonic()
        for action in unit.actions:
            self._world.emit(
                ActionStarted(node=action.key.node, verb=action.verb, key=str(action.key), reason=action.reason)
            )
        try:
            more = self._do(unit)
        except Exception as error:  # told as an event, and raised on
            for action in unit.actions:
                problem = _error(error)
                self._world.emit(
                    ActionFailed(
                        node=action.key.node,
                        verb=action.verb,
                        key=str(action.key),
                        message=problem.message,
                        hint=problem.hint,
                    )
                )
            raise
        took = time.monotonic() - started
        for action in unit.actions:
            self._world.emit(
                ActionFinished(node=action.key.node, verb=action.verb, key=str(action.key), duration_s=took)
            )
        return more

    def _do(self, unit: Unit) -> Sequence[Unit]:
        if any(action.is_change for action in unit.actions):
            self._world.lock.check()
        more = self._executor.carry_out(unit)
        return units(within(more, self._plan, self._world.desired)) if more else ()


def _label(unit: Unit) -> str:
    first = unit.actions[0]
    return f"{first.verb} {first.key}" if len(unit.actions) == 1 else f"{len(unit.actions)} files of {first.key.node}"


def _error(error: BaseException) -> RkxError:
    if isinstance(error, RkxError):
        return error
    bug = RkxError(f"a bug in rkx: {error!r}")
    bug.__cause__ = error
    return bug


def _not_ready(failures: Mapping[str, RkxError]) -> RkxError:
    if len(failures) == 1:
        return next(iter(failures.values()))
    hints = [f"{label}: {error.hint}" for label, error in failures.items() if error.hint]
    return NotReady(_lines(failures), hint="\n".join(["all changes are made; look at the components named", *hints]))


def _lines(failures: Mapping[str, RkxError]) -> str:
    return "; ".join(f"{label}: {error.message}" for label, error in failures.items())
