"""Carry out a plan: each action by its verb and kind, through the nodes' links."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from rkx.engine import containers, takedown
from rkx.engine.credentials import issue
from rkx.engine.desire import Desired
from rkx.engine.diff_objects import diff_objects, is_grave
from rkx.engine.drain import leave
from rkx.engine.files import write
from rkx.engine.glance import Glance
from rkx.engine.graph import Graph
from rkx.engine.ledger import Ledger
from rkx.engine.link import Link
from rkx.engine.lock import Lock
from rkx.engine.node import NodeProgram
from rkx.engine.object_actions import Objects
from rkx.engine.objects import ApiSilent, ClusterApi
from rkx.engine.order import about, within
from rkx.engine.patience import Patience
from rkx.engine.probe import POLL_S, wait_until_ready
from rkx.engine.state import NodeRecord
from rkx.engine.turns import Turns
from rkx.engine.units import Unit, units
from rkx.errors import ApplyFailed, Interrupted, Locked, NotReady, PartlyDone, Refused, RkxError, TransportError
from rkx.events import ActionFailed, ActionFinished, ActionStarted, Event, Waiting
from rkx.model.plan import Action, Plan
from rkx.model.resource import Container
from rkx.registry import Plugins

SURVEY_TIMEOUT_S = 60.0
"""How long an API server that should run may stay silent."""
CHANGE_NOTHING = ("await", "survey", "pull")
"""Verbs that need no lock: an image more on a node does no harm."""
Emit = Callable[[Event], None]


@dataclass(frozen=True, kw_only=True)
class World:
    """All that actions work with: what is wanted, the state, and the open ways to nodes and API.

    ``optional`` names the nodes that hold up no other.
    """

    plugins: Plugins
    desired: Desired
    ledger: Ledger
    links: Mapping[str, Link]
    programs: Mapping[str, NodeProgram]
    api: ClusterApi
    lock: Lock
    emit: Emit
    optional: frozenset[str] = frozenset()
    cancelled: threading.Event = field(default_factory=threading.Event)


class Application:
    """One plan being applied."""

    def __init__(self, world: World, plan: Plan) -> None:
        self._world, self._plan = world, plan
        self._patience = Patience(world.cancelled, world.optional)
        self._turns = Turns(world.plugins, plan, world.links, world.ledger, self._patience, world.lock.check)
        self._graph = Graph(self._turns.arranged(units(plan.actions)), self._work, self._patience)
        self._objects = Objects(world.api, world.ledger, world.desired, world.links, self._patience)
        self._unasked: list[str] = []

    def run(self, leave_out: Callable[[str, RkxError], bool]) -> None:
        """Apply all; raises ApplyFailed, NotReady or Interrupted with what is left.

        What fails is shown to ``leave_out`` with its node; true takes it out of what is raised, unless others wait for
        it.
        """
        self._objects.intend(self._plan.actions)
        self._graph.run()
        self._world.ledger.save()
        failures = {unit: _error(error) for unit, error in self._graph.failures.items()}
        kept = {unit: error for unit, error in failures.items() if not leave_out(unit.node, error)}
        aside = {unit.node for unit in failures.keys() - kept.keys()}
        waiting = [unit for unit in self._graph.left if about(unit.actions[0]) not in aside]
        self._judge({_label(unit): error for unit, error in (kept or (failures if waiting else {})).items()}, waiting)

    def _judge(self, failures: Mapping[str, RkxError], waiting: Sequence[Unit]) -> None:
        left = [_label(unit) for unit in waiting]
        if self._world.cancelled.is_set():
            count = "1 action is" if len(left) == 1 else f"{len(left)} actions are"
            raise Interrupted(f"cancelled; {count} left", hint="run again to finish")
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
            again = f"run again to finish; not tried: {', '.join(left)}" if left else "run again to finish"
            raise ApplyFailed(_lines(failures), hint="; ".join([*hints, again]), failures=failures, left=left)
        if self._unasked:
            raise PartlyDone(
                f"nobody agreed yet to delete {', '.join(self._unasked)}; all the rest is done",
                hint="run again: the plan asks now that the API answers",
            )

    def _alike(self, failures: Mapping[str, RkxError], waiting: Sequence[Unit]) -> RkxError | None:
        """Give one error for all: where the lock alone is the trouble, or a refusal and nothing is left but to wait."""
        for kind in (Locked, Refused) if self._only_waits(waiting) else (Locked,):
            if failures and all(isinstance(error, kind) for error in failures.values()):
                return kind(_lines(failures), hint=next(iter(failures.values())).hint)
        return None

    def _all_changed(self, waiting: Sequence[Unit]) -> bool:
        """Tell if what failed and what is left waits for something, and changes nothing any more."""
        carried = [unit for unit in self._graph.failures if unit.actions[0].key.kind == "Container"]
        return self._only_waits([*waiting, *(unit for unit in self._graph.failures if unit not in carried)])

    @staticmethod
    def _only_waits(units: Iterable[Unit]) -> bool:
        return all(action.verb == "await" for unit in units for action in unit.actions)

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
        world, first = self._world, unit.actions[0]
        if first.verb not in CHANGE_NOTHING:
            world.lock.check()
        if self._turns.enter(unit):
            world.lock.check()  # that may have taken minutes
        if first.key.kind in ("File", "Folder"):
            write(world.programs[first.key.node], unit.actions, world.desired, world.ledger)
        elif first.verb == "survey":
            return self._survey()
        else:
            self._single(first)
        self._turns.leave(unit)
        return ()

    def _survey(self) -> Sequence[Unit]:
        """Compare objects as soon as the API answers; what will be applied is noted first."""
        world, since = self._world, time.monotonic()
        while True:
            glance = Glance(world.api)
            try:
                actions = diff_objects(world.desired, glance, world.ledger, partial=bool(self._plan.unreachable))
            except ApiSilent:
                if not self._patience.left(since, SURVEY_TIMEOUT_S) or world.cancelled.is_set():
                    raise
                world.cancelled.wait(POLL_S)
            else:
                self._unasked = [str(action.key) for action in actions if is_grave(action)]
                actions = [action for action in actions if not is_grave(action)]
                self._objects.intend(actions)
                return units(within(actions, self._plan.actions, world.desired))
            finally:
                glance.close()

    def _single(self, action: Action) -> None:
        match action.key.kind:
            case "Container":
                self._container(action)
            case "Image":
                containers.pull(
                    self._world.links[action.key.node], action.key.name, self._world.desired.cluster.registries
                )
            case "Credentials":
                desired = self._world.desired
                issue(self._world.plugins, self._world.ledger, desired.identities, desired.due, datetime.now(UTC))
            case "Program":
                takedown.prepare(self._world.programs[action.key.node], self._world.desired, self._world.ledger)
            case "Machine":
                takedown.clean(
                    self._world.programs[action.key.node],
                    self._world.desired,
                    self._world.ledger,
                    self._world.cancelled,
                )
            case "Node" if action.verb == "remove":
                leave(self._world.api, action.key.name, self._world.desired.cluster.drain, self._patience)
            case _:
                self._objects.do(action)

    def _container(self, action: Action) -> None:
        link = self._world.links[action.key.node]
        if action.verb == "remove":
            containers.remove(link, action.key.name)
            return
        container = self._world.desired.resources[action.key]
        if not isinstance(container, Container):
            raise TypeError(f"{action.key} is no container")
        self._note(container)
        self._carry(action, link, container)
        wait_until_ready(link, container, self._world.ledger, self._patience, self._teller(action))

    def _teller(self, action: Action) -> Callable[[str], None]:
        return lambda why: self._world.emit(Waiting(node=action.key.node, key=str(action.key), why=why))

    def _note(self, container: Container) -> None:
        """Keep in the state that the node has this container, before it is made."""

        def added(record: NodeRecord) -> NodeRecord:
            return replace(record, containers=tuple(sorted({*record.containers, container.name})))

        if container.name not in self._world.ledger.state.nodes[container.node].containers:
            self._world.ledger.note_node(container.node, added, save=True)

    def _carry(self, action: Action, link: Link, container: Container) -> None:
        ledger = self._world.ledger
        reads = ledger.reads_word(container, self._world.desired.on(container.node))
        match action.verb:
            case "create":
                containers.create(link, container, ledger, reads)
            case "replace":
                containers.replace(link, container, ledger, reads)
            case "start":
                containers.start(link, container)
            case "restart":
                containers.restart(link, container)
            case "update":
                containers.update(link, container)


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
