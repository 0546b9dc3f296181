"""What the command line and embedders call: load, plan, apply, up, remove."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

from rkx.config import Document, decode
from rkx.config import load as read_file
from rkx.errors import ConfigError, PartlyDone, Problem, Refused, RkxError
from rkx.events import Event, PlanReady, ProblemFound, RunFinished, RunStarted
from rkx.hooks import Plugin
from rkx.model.cluster import Cluster, PluginRef
from rkx.model.node import Node
from rkx.model.plan import Danger, Plan
from rkx.registry import Chosen, Installed, Plugins, find
from rkx.transport import Prompt, Transport

if TYPE_CHECKING:
    from rkx.engine.conduct import Conductor
    from rkx.engine.desire import Desired
    from rkx.engine.visit import Visit

Given = dict[tuple[str, str], Plugin[Any]]
Accept = Callable[[Sequence[Danger]], bool]
"""Agrees, or not, to what would lose data or service."""


def _never(_dangers: Sequence[Danger]) -> bool:
    return False


@dataclass(frozen=True, kw_only=True)
class Project:
    """One cluster.yml, decoded, with the plugins that it chose."""

    path: Path
    cluster: Cluster
    plugins: Plugins
    transports: dict[str, Chosen]
    given: Given = field(default_factory=dict)
    warnings: tuple[Problem, ...] = ()

    def open_transport(self, node: Node, prompt: Prompt | None) -> Transport:
        """Connect to a node by the transport that it names; one that left the file is known from the state."""
        chosen = self.transports.get(node.name) or self._former(node)
        return Plugins([chosen]).open_transport(chosen, node, prompt)

    def _former(self, node: Node) -> Chosen:
        choice = _Choice(self.given, None, entry_points())
        chosen = choice.of(_transport(node))
        if chosen is None:
            raise ConfigError(f"{node.name}: its transport cannot be used", problems=choice.problems)
        return chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a run goes. ``prompt`` and ``accept`` ask the operator; without them nothing is agreed to."""

    prompt: Prompt | None = None
    accept: Accept = _never
    allow_unreachable: frozenset[str] = frozenset()
    break_lock: str = ""


def load(
    path: str | Path,
    *,
    mode: Literal["strict", "warn"] = "strict",
    plugins: Sequence[Plugin[Any]] = (),
    fetch: bool = True,
) -> Project:
    """Read cluster.yml and choose its plugins; ConfigError holds every mistake at once.

    Without ``fetch`` manifests that the file names by http(s) are left out: only for what applies no plan.
    ``plugins`` are instances that take the place of installed ones of their stage and name.
    """
    loaded = read_file(Path(path), mode=mode, fetch=fetch)
    given: Given = {(plugin.stage, plugin.name): plugin for plugin in plugins}
    choice = _Choice(given, loaded.document, entry_points())
    problems = choice.problems
    chosen = [choice.of(ref) for ref in _refs(loaded.cluster)]
    transports = {node.name: choice.of(_transport(node)) for node in loaded.cluster.nodes}
    _raise(problems, path)
    every = Plugins([each for each in (*chosen, *_distinct(transports)) if each is not None])
    problems += [loaded.document.place(problem) for problem in every.validate(loaded.cluster)]
    _raise([problem for problem in problems if not problem.warning], path)
    warnings = (*loaded.warnings, *(problem for problem in problems if problem.warning))
    return Project(
        path=Path(path),
        cluster=loaded.cluster,
        plugins=every,
        transports={name: each for name, each in transports.items() if each is not None},
        given=given,
        warnings=tuple(sorted(warnings, key=lambda problem: (problem.line, problem.column))),
    )


def _refs(cluster: Cluster) -> list[PluginRef]:
    return [*cluster.auth, cluster.network, *cluster.services, *cluster.addons, *cluster.extensions]


def _raise(problems: Sequence[Problem], path: str | Path) -> None:
    errors = sorted((p for p in problems if not p.warning), key=lambda problem: (problem.line, problem.column))
    if errors:
        count = "1 mistake" if len(errors) == 1 else f"{len(errors)} mistakes"
        raise ConfigError(f"{path}: {count}", problems=errors)


@dataclass(frozen=True)
class _Choice:
    """Finds plugins by what cluster.yml says of them, and gathers what is wrong there."""

    given: Given
    document: Document | None
    installed: Installed
    problems: list[Problem] = field(default_factory=list)

    def of(self, ref: PluginRef) -> Chosen | None:
        """Give the plugin, decoded; None beside a problem."""
        if plugin := self.given.get((ref.stage, ref.name)):
            return Chosen(ref=ref, plugin=plugin, owner="given by the caller")
        try:
            kind, owner = find(ref.stage, ref.name, self.installed)
        except ConfigError as error:
            found = Problem(where=ref.where, message=error.message, hint=error.hint)
            self.problems.append(self.document.place(found) if self.document else found)
            return None
        config, problems = decode(
            kind.Config, ref.options, where=ref.where, document=self.document, places=ref.options_where, known=ref.known
        )
        self.problems.extend(problems)
        return Chosen(ref=ref, plugin=kind(config), owner=owner) if config is not None else None


def _transport(node: Node) -> PluginRef:
    return PluginRef(stage="transport", name=node.transport, options=node.transport_options, where=node.where)


def _distinct(transports: Mapping[str, Chosen | None]) -> list[Chosen]:
    return list({id(type(each.plugin)): each for each in transports.values() if each is not None}.values())


def plan(project: Project, options: Options = Options()) -> Plan:
    """Look at the nodes and say what ``up`` would do; sends GET requests only, and issues nothing."""
    with _visit(project, options, writes=False) as visit:
        return visit.plan(visit.desired())


@contextmanager
def _visit(project: Project, options: Options, *, writes: bool, objects: bool = True) -> Iterator[Visit]:
    from rkx.engine.early import Early

    early = Early(project.open_transport, options.prompt)
    early.begin(project.cluster.nodes)
    try:
        visit = _prepared(project, options, early.open)
        visit.writes, visit.objects = writes, objects
        try:
            visit.begin()
            yield visit
        finally:
            visit.close()
    finally:
        early.close()


def _prepared(project: Project, options: Options, opens: Callable[[Node], Transport]) -> Visit:
    from rkx.engine.state import StateFile, path_beside
    from rkx.engine.visit import Visit

    return Visit(
        cluster=project.cluster,
        plugins=project.plugins,
        open_transport=opens,
        state_file=StateFile(path_beside(project.path)),
        allowed_unreachable=options.allow_unreachable,
    )


@dataclass(kw_only=True)
class Run:
    """A run on its own thread; iterate over it for its events, then look at ``error``."""

    name: str = field(default_factory=lambda: secrets.token_hex(4))
    error: RkxError | None = None
    exit_code: int = 0
    _cancelled: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _events: Any = None

    def start(self, work: Callable[[Run], None], command: str, cluster: str) -> Run:
        """Begin; called once, by this module."""
        from rkx.engine.stream import Events

        self._events = Events(self.name)
        self._thread = threading.Thread(target=self._work, args=(work, command, cluster), name="run")
        self._thread.start()
        return self

    def _work(self, work: Callable[[Run], None], command: str, cluster: str) -> None:
        started = time.monotonic()
        self.emit(RunStarted(command=command, cluster=cluster))
        try:
            work(self)
        except RkxError as error:
            self.error = error
        except Exception as error:  # noqa: BLE001 - the top of a thread: the caller gets it as ``error``
            self.error = RkxError(f"a bug in rkx: {error!r}", hint="report it, please")
            self.error.__cause__ = error
        self.exit_code = self.error.exit_code if self.error else 0
        message = self.error.message if self.error else "done"
        self.emit(RunFinished(exit_code=self.exit_code, message=message, duration_s=time.monotonic() - started))
        self._events.end()

    def emit(self, event: Event) -> None:
        """Add an event to the stream."""
        self._events.emit(event)

    def __iter__(self) -> Iterator[Event]:
        return iter(self._events)

    def cancel(self) -> None:
        """Start nothing more; running actions finish."""
        self._cancelled.set()

    @property
    def cancelled(self) -> threading.Event:
        """Give the event that ``cancel`` sets."""
        return self._cancelled

    def wait(self) -> None:
        """Wait for the end; raises what went wrong."""
        if self._thread is not None:
            self._thread.join()
        if self.error is not None:
            raise self.error

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.cancel()
        if self._thread is not None:
            self._thread.join()


def up(project: Project, options: Options = Options()) -> Run:
    """Plan and apply that plan: nodes never prepared are prepared first, then planned anew."""
    return Run().start(lambda run: _up(project, options, run), "up", project.cluster.name)


def apply(project: Project, planned: Plan, options: Options = Options()) -> Run:
    """Apply a plan made before; PlanStale if the nodes have moved on since."""
    return Run().start(lambda run: _up(project, options, run, planned), "up", project.cluster.name)


def remove(project: Project, options: Options = Options()) -> Run:
    """Take the whole cluster down and leave the machines as they were."""
    return Run().start(lambda run: _remove(project, options, run), "remove", project.cluster.name)


@contextmanager
def _locked(project: Project, options: Options, *, objects: bool = True) -> Iterator[Visit]:
    from rkx.engine.lock import FileLock
    from rkx.engine.state import path_beside

    state = path_beside(project.path)
    lock = FileLock(state.with_name(f".{state.name}.lock"))
    lock.take()
    try:
        with _visit(project, options, writes=True, objects=objects) as visit:
            yield visit
    finally:
        lock.release()


def _agree(plan: Plan, options: Options, before: Sequence[Danger] = ()) -> None:
    asks = [danger for danger in plan.asks if danger not in before]
    if asks and not options.accept(asks):
        what = "; ".join(f"{danger.what} ({danger.why})" for danger in asks)
        raise Refused(f"not agreed to: {what}", hint="answer yes, or give --yes")


def _up(project: Project, options: Options, run: Run, planned: Plan | None = None) -> None:
    for problem in project.warnings:
        run.emit(ProblemFound(where=problem.where, message=problem.message, hint=problem.hint))
    with _locked(project, options) as visit:
        from rkx.engine.conduct import Conductor  # after the logins have begun: it brings much with it

        desired = visit.desired()
        found = visit.plan(desired)
        if planned is not None and planned.actions != found.actions:
            raise PartlyDone(
                "the nodes are not as they were when the plan was made", hint="plan again, then apply that"
            )
        _agree(found, options)
        with Conductor(visit, run, options.break_lock) as conductor:
            _carry_out(visit, conductor, desired, found, options, run, project)
        _report_unreachable(visit)


def _carry_out(
    visit: Visit, conductor: Conductor, desired: Desired, found: Plan, options: Options, run: Run, project: Project
) -> None:
    from rkx.engine.kubeconfig import write_kubeconfig

    if any(action.verb == "prepare" for action in found.actions):
        conductor.prepare(desired, found)
        before, desired = found.asks, visit.desired()
        found = visit.plan(desired)
        _agree(found, options, before)
    for finding in visit.warnings:
        run.emit(ProblemFound(node=finding.node, message=finding.message, hint=finding.hint))
    run.emit(PlanReady(actions=len(found.actions), plan=found))
    try:
        if found.is_empty:
            conductor.clear_lock()
        else:
            conductor.apply(desired, found)
        visit.remember_version()
    finally:
        write_kubeconfig(visit.cluster, visit.ledger, project.path)


def _report_unreachable(visit: Visit) -> None:
    if visit.unreachable:
        names = ", ".join(sorted(visit.unreachable))
        raise PartlyDone(f"not reached: {names}; all the rest is done", hint="run again when they answer")


def _remove(project: Project, options: Options, run: Run) -> None:
    with _locked(project, options, objects=False) as visit:
        from rkx.engine.conduct import Conductor, forget  # after the logins have begun

        wanted, found = visit.plan_removal(visit.desired())
        run.emit(PlanReady(actions=len(found.actions), plan=found))
        _agree(found, options)
        with Conductor(visit, run, options.break_lock) as conductor:
            if not found.is_empty:
                conductor.apply(wanted, found)
        _report_unreachable(visit)
        forget(visit, project.path)


def kubeconfig(project: Project) -> bytes:
    """Give the operator's kubeconfig from the state; Refused before the cluster is born."""
    from rkx.engine.kubeconfig import kubeconfig_of
    from rkx.engine.ledger import Ledger
    from rkx.engine.state import StateFile, path_beside

    state = StateFile(path_beside(project.path)).load()
    if state is None:
        raise Refused(f"{path_beside(project.path)} does not exist: there is no cluster yet", hint="rkx up makes it")
    return kubeconfig_of(project.cluster, Ledger(state, None))


def kubeconfig_path(project: Project) -> Path:
    """Give the place where ``up`` writes the operator's kubeconfig."""
    from rkx.engine.kubeconfig import kubeconfig_path as beside

    return beside(project.path)
