"""Carry out one action: an executor for each kind, chosen by type."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import assert_never

import msgspec

from rkx.errors import ApiSilent
from rkx.model.action import (
    Action,
    CleanNode,
    ContainerAction,
    CordonNode,
    DeleteNode,
    DrainNode,
    IssueCredentials,
    NodeAction,
    NodeStep,
    ObjectAction,
    PathAction,
    PrepareNode,
    PullImage,
    RefreshObjects,
    TakeStep,
    UncordonNode,
    WaitAction,
    WaitForContainer,
    WaitForHealth,
    WaitForNode,
)
from rkx.model.plan import Plan
from rkx.reconcile import containers
from rkx.reconcile.bootstrap_args import Bootstrap
from rkx.reconcile.clean_host import clean
from rkx.reconcile.container_actions import Containers, Emit
from rkx.reconcile.context import Context
from rkx.reconcile.cordon_marks import left_cordoned
from rkx.reconcile.credentials import issue
from rkx.reconcile.desired import Desired
from rkx.reconcile.diff_objects import diff_objects, is_grave
from rkx.reconcile.drain import cordon, delete, drain, uncordon
from rkx.reconcile.effects import Effects
from rkx.reconcile.files import write
from rkx.reconcile.link import Link
from rkx.reconcile.lock import Lock
from rkx.reconcile.node import NodeProgram
from rkx.reconcile.object_actions import Objects
from rkx.reconcile.object_reader import ObjectReader, compared
from rkx.reconcile.object_waits import ObjectWaits
from rkx.reconcile.objects import ClusterApi
from rkx.reconcile.prepare_host import prepare
from rkx.reconcile.probe import POLL_S
from rkx.reconcile.reporter import Reporter
from rkx.reconcile.state_store import StateStore
from rkx.reconcile.steps import Steps
from rkx.reconcile.units import Unit
from rkx.reconcile.wait_budget import WaitBudget
from rkx.registry import Plugins

REFRESH_TIMEOUT_S = 60.0
"""How long an API server that should run may stay silent."""


class ApplyContext(msgspec.Struct, frozen=True, kw_only=True):
    """All that actions work with: what is wanted, the state, and the open ways to nodes and API.

    ``optional`` names the nodes that hold up no other.
    """

    plugins: Plugins
    desired: Desired
    store: StateStore
    links: Mapping[str, Link]
    programs: Mapping[str, NodeProgram]
    api: ClusterApi
    lock: Lock
    emit: Emit
    optional: frozenset[str] = frozenset()
    cancelled: threading.Event = msgspec.field(default_factory=threading.Event)

    @classmethod
    def of(cls, context: Context, desired: Desired, lock: Lock, run: Reporter) -> ApplyContext:
        """Return what the actions of a run work with, which has the lock."""
        return cls(
            plugins=context.plugins,
            desired=desired,
            store=context.store,
            links=context.connections.links,
            programs=context.programs,
            api=context.api,
            lock=lock,
            emit=run.emit,
            optional=context.optional,
            cancelled=run.cancelled,
        )


class Executor:
    """Carries out the actions of one plan. ``left`` names what the next round must plan."""

    def __init__(self, world: ApplyContext, plan: Plan, budget: WaitBudget) -> None:
        self._world, self._plan, self._budget = world, plan, budget
        self._waits = ObjectWaits(world.api, world.desired, world.links, budget)
        self.objects = Objects(world.api, world.store, world.desired, self._waits, budget)
        self._bootstrap = Bootstrap(plan.updates)
        self._containers = Containers(world.links, world.store, world.desired, budget, world.emit, self._bootstrap)
        registries = world.desired.cluster.registries
        effects = Effects(world.programs, world.links, world.store, registries, budget, world.lock.check)
        self._steps = Steps(world.plugins, world.desired.cluster, effects, budget)
        self.left: list[str] = []

    def carry_out(self, unit: Unit) -> Sequence[Action]:
        """Carry out actions that go together; return those that join the plan."""
        if paths := [action for action in unit.actions if isinstance(action, PathAction)]:
            write(self._world.programs[paths[0].key.node], paths, self._world.desired, self._world.store)
            return ()
        [action] = unit.actions
        if isinstance(action, RefreshObjects):
            return self._refresh()
        self._single(action)
        return ()

    def _single(self, action: Action) -> None:
        if isinstance(action, ContainerAction):
            self._containers.do(action)
        elif isinstance(action, ObjectAction):
            self.objects.do(action)
        elif isinstance(action, NodeAction):
            self._node(action)
        elif isinstance(action, NodeStep | TakeStep):
            self._step(action)
        elif isinstance(action, WaitAction):
            self._wait(action)
        elif isinstance(action, IssueCredentials):
            desired = self._world.desired
            issue(self._world.plugins, self._world.store, desired.identities, desired.renewals, datetime.now(UTC))
        elif isinstance(action, PathAction | RefreshObjects):
            raise TypeError(f"{action.key} is not done by itself")
        else:
            assert_never(action)

    def _node(self, action: NodeAction) -> None:
        world = self._world
        match action:
            case PrepareNode(node=node):
                prepare(world.programs[node], world.desired, world.store)
            case CleanNode(node=node):
                clean(world.programs[node], world.desired, world.store, world.cancelled)
            case PullImage(node=node, image=image):
                containers.pull(world.links[node], image, world.desired.cluster.registries)
            case _:
                assert_never(action)

    def _step(self, action: NodeStep | TakeStep) -> None:
        api, budget = self._world.api, self._budget
        match action:
            case CordonNode(node=node):
                cordon(api, node, budget)
            case DrainNode(node=node):
                drain(api, node, self._world.desired.cluster.drain, budget)
            case UncordonNode(node=node):
                uncordon(api, node, budget)
            case TakeStep(step=step):
                self._bootstrap.note(action, self._steps.take(step).bootstrap_args)
            case DeleteNode(key=key):
                delete(api, key.name)
            case _:
                assert_never(action)

    def _wait(self, action: WaitAction) -> None:
        match action:
            case WaitForContainer(container=container):
                self._containers.wait_for(container)
            case WaitForNode(node=node):
                self._waits.wait_for_node(node)
            case WaitForHealth(check=check):
                self._waits.wait_for(check)
            case _:
                assert_never(action)

    def _refresh(self) -> Sequence[Action]:
        """Compare objects as soon as the API answers; what will be applied is noted first."""
        world, since = self._world, time.monotonic()
        while True:
            reader = ObjectReader(world.api)
            try:
                objects = reader.snapshot(compared(world.desired))
                found = diff_objects(world.desired, objects, world.store.state, partial=bool(self._plan.unreachable))
            except ApiSilent:
                if not self._budget.left(since, REFRESH_TIMEOUT_S) or world.cancelled.is_set():
                    raise
                world.cancelled.wait(POLL_S)
            else:
                cordoned = left_cordoned(world.desired.cluster, objects.nodes, self._plan.actions)
                self.left = [*(str(action.key) for action in found if is_grave(action)), *cordoned]
                agreed = [action for action in found if not is_grave(action)]
                self.objects.intend(agreed)
                return agreed
            finally:
                reader.close()
