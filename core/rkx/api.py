"""What the command line and embedders call: load, plan, apply, up, remove."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from rkx.errors import PartlyDone, Problem, Refused, RkxError, TransportError
from rkx.events import ProblemFound
from rkx.model.node import Node
from rkx.model.plan import Confirmation, Plan
from rkx.project import Project, load
from rkx.run import Run
from rkx.transport import Prompt, Transport

if TYPE_CHECKING:
    from rkx.reconcile.expiry import End
    from rkx.reconcile.opening import Opened, Opening
    from rkx.reconcile.state import State

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
Accept = Callable[[Sequence[Confirmation]], bool]
"""Agrees, or not, to what would lose data or service."""


def _never(_dangers: Sequence[Confirmation]) -> bool:
    return False


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How a run goes. ``prompt`` and ``accept`` ask the operator; without them nothing is agreed to.

    ``replace`` names nodes whose machine may be another one than before. ``ca_fingerprint``, or ``confirm`` shown it,
    confirms the authority of a state that was lost and found on nodes while no API server answers.
    """

    prompt: Prompt | None = None
    accept: Accept = _never
    allow_unreachable: frozenset[str] = frozenset()
    break_lock: str = ""
    replace: frozenset[str] = frozenset()
    ca_fingerprint: str = ""
    confirm: Callable[[str], bool] = lambda _fingerprint: False


def plan(project: Project, options: Options = Options()) -> Plan:
    """Look at the nodes and say what ``up`` would do; sends requests that only read, and issues nothing."""
    with _opened(project, options, writes=False) as cluster:
        from rkx.reconcile import observe_and_plan

        return observe_and_plan.fit(cluster)[1]


@contextmanager
def _opened(project: Project, options: Options, *, writes: bool, objects: bool = True) -> Iterator[Opened]:
    """Begin to log in before most of the engine is imported, but never beside another run of this computer."""
    from rkx.reconcile.connection_prefetch import ConnectionPrefetch

    with _locked(project) if writes else nullcontext():
        early = ConnectionPrefetch(project.open_transport, options.prompt)
        early.begin(project.cluster.nodes)
        try:
            from rkx.reconcile import loop  # noqa: F401 - used soon, and logins wait meanwhile
            from rkx.reconcile.opening import opened

            with opened(_opening(project, options, early.open, writes=writes, objects=objects)) as cluster:
                yield cluster
        finally:
            early.close()


@contextmanager
def _locked(project: Project) -> Iterator[None]:
    from rkx.reconcile.filelock import FileLock
    from rkx.reconcile.state_file import StateFile, path_beside

    state = StateFile(path_beside(project.path)).path
    lock = FileLock(state.with_name(f".{state.name}.lock"))
    lock.take()
    try:
        yield
    finally:
        lock.release()


def _opening(
    project: Project, options: Options, opens: Callable[[Node], Transport], *, writes: bool, objects: bool
) -> Opening:
    from rkx.reconcile.atomic import clear_stale
    from rkx.reconcile.found_authority import Trust
    from rkx.reconcile.kubeconfig import kubeconfig_path as beside
    from rkx.reconcile.opening import Opening
    from rkx.reconcile.state_file import StateFile, path_beside

    state_file = StateFile(path_beside(project.path))
    if writes:
        clear_stale(state_file.path)
        clear_stale(beside(project.path))
    return Opening(
        cluster=project.cluster,
        plugins=project.plugins,
        opens=opens,
        cluster_file=project.path,
        state_file=state_file,
        allowed_unreachable=options.allow_unreachable,
        replacing=options.replace,
        trust=Trust(fingerprint=options.ca_fingerprint, confirm=options.confirm),
        writes=writes,
        objects=objects,
    )


def up(project: Project, options: Options = Options()) -> Run:
    """Plan and apply that plan: nodes never prepared are prepared first, then planned again."""
    return Run().start(lambda run: _up(project, options, run), "up", project.cluster.name)


def apply(project: Project, planned: Plan, options: Options = Options()) -> Run:
    """Apply a plan made before; PlanStale if the nodes have moved on since."""
    return Run().start(lambda run: _up(project, options, run, planned), "up", project.cluster.name)


def remove(project: Project, options: Options = Options()) -> Run:
    """Take the whole cluster down and leave the machines as they were."""
    return Run().start(lambda run: _remove(project, options, run), "remove", project.cluster.name)


def _up(project: Project, options: Options, run: Run, given: Plan | None = None) -> None:
    _tell(project.warnings, run)
    with _opened(project, options, writes=True) as cluster:
        from rkx.reconcile.expiry import expiring as of_state
        from rkx.reconcile.loop import Reconciler
        from rkx.reconcile.run_lock import RunLock

        context = cluster.context
        with RunLock(context, run.name, options.break_lock) as lock:
            desired = Reconciler(cluster, run, lock, options.accept).up(given)
        ending = of_state(context.state, desired.identities.values(), datetime.now(UTC))
        _tell((*context.state_file.warnings, *ending), run)
        _report_unreachable(cluster.observer.unreachable)


def _tell(problems: Iterable[Problem], run: Run) -> None:
    for problem in problems:
        run.emit(ProblemFound(where=problem.where, message=problem.message, hint=problem.hint))


def _report_unreachable(unreachable: Mapping[str, RkxError]) -> None:
    if unreachable:
        away = [unreachable[name] for name in sorted(unreachable)]
        why = "".join(f"; {error.message}" for error in away)
        hints = dict.fromkeys(error.hint for error in away if not isinstance(error, TransportError))
        raise PartlyDone(
            f"not reached: {', '.join(sorted(unreachable))}; all the rest is done{why}",
            hint="; ".join(hints) or "run rkx again when they answer",
        )


def _remove(project: Project, options: Options, run: Run) -> None:
    with _opened(project, options, writes=True, objects=False) as cluster:
        from rkx.reconcile.loop import Reconciler
        from rkx.reconcile.run_lock import RunLock

        with RunLock(cluster.context, run.name, options.break_lock, leaving=True) as lock:
            Reconciler(cluster, run, lock, options.accept).remove()
        _report_unreachable(cluster.observer.unreachable)
        cluster.context.state_file.delete()
        kubeconfig_path(project).unlink(missing_ok=True)


def kubeconfig(project: Project) -> bytes:
    """Return the operator's kubeconfig from the state; Refused before the cluster exists."""
    from rkx.reconcile.kubeconfig import kubeconfig_of
    from rkx.reconcile.state_file import path_beside
    from rkx.reconcile.state_store import StateStore

    state = _state(project)
    if state is None:
        raise Refused(f"{path_beside(project.path)} does not exist: there is no cluster yet", hint="rkx up makes it")
    return kubeconfig_of(project.cluster, StateStore(state, None))


def _state(project: Project) -> State | None:
    from rkx.reconcile.state_file import StateFile, path_beside

    return StateFile(path_beside(project.path)).load()


def expiring(project: Project) -> list[Problem]:
    """Warn of certificates that end within 90 days, as the state here knows, and of a state that others may read."""
    from rkx.reconcile.expiry import expiring as of_state
    from rkx.reconcile.state_file import StateFile, path_beside

    file = StateFile(path_beside(project.path))
    state = file.load()
    if state is None:
        return []
    return [*file.warnings, *of_state(state, project.plugins.identities(project.cluster), datetime.now(UTC))]


def first_ends(project: Project) -> list[End]:
    """Return the authority that ends first, then the certificate that does; nothing where there is no cluster yet."""
    from rkx.reconcile.expiry import first_ends as of_state

    state = _state(project)
    return of_state(state, project.plugins.identities(project.cluster)) if state else []


def kubeconfig_path(project: Project) -> Path:
    """Return the place where ``up`` writes the operator's kubeconfig."""
    from rkx.reconcile.kubeconfig import kubeconfig_path as beside

    return beside(project.path)
