"""What the command line and embedders call: load, plan, apply, up, remove."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rkx.errors import PartlyDone, PlanStale, PreflightFailed, Problem, Refused, TransportError
from rkx.events import PlanReady, ProblemFound
from rkx.model.action import PrepareNode
from rkx.model.node import Node
from rkx.model.plan import Danger, Plan
from rkx.project import Project, load
from rkx.run import Run
from rkx.transport import Prompt, Transport

if TYPE_CHECKING:
    from rkx.engine.conduct import Conductor
    from rkx.engine.desire import Desired
    from rkx.engine.expiry import End
    from rkx.engine.state import State
    from rkx.engine.visit import Visit

__all__ = [
    "Options",
    "Project",
    "Run",
    "apply",
    "expiring",
    "first_ends",
    "kubeconfig",
    "kubeconfig_path",
    "load",
    "plan",
    "remove",
    "up",
]
Accept = Callable[[Sequence[Danger]], bool]
"""Agrees, or not, to what would lose data or service."""


def _never(_dangers: Sequence[Danger]) -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a run goes. ``prompt`` and ``accept`` ask the operator; without them nothing is agreed to.

    ``replace`` names nodes whose machine may be another one than before. ``ca_fingerprint``, or ``confirm`` shown it,
    vouches for the authority of a state that was lost and found on nodes while no API server answers.
    """

    prompt: Prompt | None = None
    accept: Accept = _never
    allow_unreachable: frozenset[str] = frozenset()
    break_lock: str = ""
    replace: frozenset[str] = frozenset()
    ca_fingerprint: str = ""
    confirm: Callable[[str], bool] = lambda _fingerprint: False


def plan(project: Project, options: Options = Options()) -> Plan:
    """Look at the nodes and say what ``up`` would do; sends GET requests only, and issues nothing."""
    with _visit(project, options, writes=False) as visit:
        from rkx.engine import planning

        return planning.fit(visit)[1]


@contextmanager
def _visit(project: Project, options: Options, *, writes: bool, objects: bool = True) -> Iterator[Visit]:
    """Begin to log in before most of the engine is imported, but never beside another run of this computer."""
    from rkx.engine.early import Early

    with _locked(project) if writes else nullcontext():
        early = Early(project.open_transport, options.prompt)
        early.begin(project.cluster.nodes)
        try:
            visit = _prepared(project, options, early.open, writes=writes, objects=objects)
            try:
                visit.begin()
                yield visit
            finally:
                visit.close()
        finally:
            early.close()


@contextmanager
def _locked(project: Project) -> Iterator[None]:
    from rkx.engine.filelock import FileLock
    from rkx.engine.state_file import StateFile, path_beside

    state = StateFile(path_beside(project.path)).path
    lock = FileLock(state.with_name(f".{state.name}.lock"))
    lock.take()
    try:
        yield
    finally:
        lock.release()


def _prepared(
    project: Project, options: Options, opens: Callable[[Node], Transport], *, writes: bool, objects: bool
) -> Visit:
    from rkx.engine import conduct, planning  # noqa: F401 - used soon, and logins wait meanwhile
    from rkx.engine.atomic import clear_stale
    from rkx.engine.kubeconfig import kubeconfig_path as beside
    from rkx.engine.state_file import StateFile, path_beside
    from rkx.engine.visit import Visit
    from rkx.engine.vouch import Trust

    state_file = StateFile(path_beside(project.path))
    if writes:
        clear_stale(state_file.path)
        clear_stale(beside(project.path))
    return Visit(
        cluster=project.cluster,
        plugins=project.plugins,
        open_transport=opens,
        state_file=state_file,
        allowed_unreachable=options.allow_unreachable,
        replacing=options.replace,
        trust=Trust(fingerprint=options.ca_fingerprint, confirm=options.confirm),
        writes=writes,
        objects=objects,
    )


def up(project: Project, options: Options = Options()) -> Run:
    """Plan and apply that plan: nodes never prepared are prepared first, then planned anew."""
    return Run().start(lambda run: _up(project, options, run), "up", project.cluster.name)


def apply(project: Project, planned: Plan, options: Options = Options()) -> Run:
    """Apply a plan made before; PlanStale if the nodes have moved on since."""
    return Run().start(lambda run: _up(project, options, run, planned), "up", project.cluster.name)


def remove(project: Project, options: Options = Options()) -> Run:
    """Take the whole cluster down and leave the machines as they were."""
    return Run().start(lambda run: _remove(project, options, run), "remove", project.cluster.name)


def _agree(plan: Plan, options: Options, before: Sequence[Danger] = ()) -> None:
    asks = [danger for danger in plan.asks if danger not in before]
    if asks and not options.accept(asks):
        what = "; ".join(f"{danger.what} ({danger.why})" for danger in asks)
        raise Refused(f"not agreed to: {what}", hint="answer yes, or give --yes")


def _up(project: Project, options: Options, run: Run, planned: Plan | None = None) -> None:
    for problem in project.warnings:
        run.emit(ProblemFound(where=problem.where, message=problem.message, hint=problem.hint))
    with _visit(project, options, writes=True) as visit:
        from rkx.engine.conduct import Conductor
        from rkx.engine.expiry import expiring as of_state

        with Conductor(visit, run, options.break_lock) as conductor:
            desired, found = _planned(visit, conductor)
            if planned is not None and (planned.actions, planned.contents) != (found.actions, found.contents):
                raise PlanStale("nodes or contents are not as they were planned", hint="plan again, then apply that")
            _agree(found, options)
            _carry_out(visit, conductor, desired, found, options, run, project)
        ending = of_state(visit.ledger.state, desired.identities.values(), datetime.now(UTC))
        for problem in (*visit.state_file.warnings, *ending):
            run.emit(ProblemFound(where=problem.where, message=problem.message, hint=problem.hint))
        _report_unreachable(visit)


def _planned(visit: Visit, conductor: Conductor) -> tuple[Desired, Plan]:
    """Plan; a machine that is unfit by what it said last is asked once more, for it may have been mended."""
    from rkx.engine import planning

    desired = visit.desired()
    try:
        return desired, planning.plan(visit, desired)
    except PreflightFailed:
        conductor.ask_again(desired)
    return planning.fit(visit)


def _carry_out(
    visit: Visit, conductor: Conductor, desired: Desired, found: Plan, options: Options, run: Run, project: Project
) -> None:
    from rkx.engine import planning
    from rkx.engine.kubeconfig import write_kubeconfig

    if any(isinstance(action, PrepareNode) for action in found.actions):
        conductor.prepare(desired, found)
        before = found.asks
        desired, found = planning.fit(visit)
        _agree(found, options, before)
    _tell(found, run)
    run.emit(PlanReady(actions=len(found.actions), plan=found))
    try:
        if found.is_empty:
            visit.remember_version()
            conductor.settle(desired)
        else:
            conductor.apply(desired, found, visit.remember_version)
    finally:
        write_kubeconfig(visit.cluster, visit.ledger, project.path)


def _tell(found: Plan, run: Run) -> None:
    for finding in found.findings:
        run.emit(ProblemFound(node=finding.node, message=finding.message, hint=finding.hint))


def _report_unreachable(visit: Visit) -> None:
    if visit.unreachable:
        away = [visit.unreachable[name] for name in sorted(visit.unreachable)]
        why = "".join(f"; {error.message}" for error in away)
        hints = dict.fromkeys(error.hint for error in away if not isinstance(error, TransportError))
        raise PartlyDone(
            f"not reached: {', '.join(sorted(visit.unreachable))}; all the rest is done{why}",
            hint="; ".join(hints) or "run again when they answer",
        )


def _remove(project: Project, options: Options, run: Run) -> None:
    with _visit(project, options, writes=True, objects=False) as visit:
        from rkx.engine import planning
        from rkx.engine.conduct import Conductor, forget

        wanted, found = planning.plan_removal(visit, visit.desired())
        _tell(found, run)
        run.emit(PlanReady(actions=len(found.actions), plan=found))
        _agree(found, options)
        with Conductor(visit, run, options.break_lock, leaving=True) as conductor:
            if not found.is_empty:
                conductor.apply(wanted, found)
        _report_unreachable(visit)
        forget(visit, project.path)


def kubeconfig(project: Project) -> bytes:
    """Give the operator's kubeconfig from the state; Refused before the cluster is born."""
    from rkx.engine.kubeconfig import kubeconfig_of
    from rkx.engine.ledger import Ledger
    from rkx.engine.state_file import path_beside

    state = _state(project)
    if state is None:
        raise Refused(f"{path_beside(project.path)} does not exist: there is no cluster yet", hint="rkx up makes it")
    return kubeconfig_of(project.cluster, Ledger(state, None))


def _state(project: Project) -> State | None:
    from rkx.engine.state_file import StateFile, path_beside

    return StateFile(path_beside(project.path)).load()


def expiring(project: Project) -> list[Problem]:
    """Warn of certificates that end within 90 days, as the state here knows, and of a state that others may read."""
    from rkx.engine.expiry import expiring as of_state
    from rkx.engine.state_file import StateFile, path_beside

    file = StateFile(path_beside(project.path))
    state = file.load()
    if state is None:
        return []
    return [*file.warnings, *of_state(state, project.plugins.identities(project.cluster), datetime.now(UTC))]


def first_ends(project: Project) -> list[End]:
    """Give the authority that ends first, then the certificate that does; nothing where there is no cluster yet."""
    from rkx.engine.expiry import first_ends as of_state

    state = _state(project)
    return of_state(state, project.plugins.identities(project.cluster)) if state else []


def kubeconfig_path(project: Project) -> Path:
    """Give the place where ``up`` writes the operator's kubeconfig."""
    from rkx.engine.kubeconfig import kubeconfig_path as beside

    return beside(project.path)
