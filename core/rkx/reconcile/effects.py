"""Do what a step asks for: requests, tasks, copies of files; each in its bounds, and of one node alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import assert_never

from rkx.errors import ConnectFailed
from rkx.model.cluster import PrivateRegistry
from rkx.model.step import CopyFile, Effect, FileCopied, NodeRequest, NodeResponse, Responses, RunTask, TaskResult
from rkx.reconcile.file_copies import copy_file
from rkx.reconcile.link import Link
from rkx.reconcile.node import NodeProgram
from rkx.reconcile.node_requests import send, send_all
from rkx.reconcile.state_store import StateStore
from rkx.reconcile.tasks import run_task
from rkx.reconcile.wait_budget import WaitBudget


class Effects:
    """The effects of one run's steps. ``check`` is called before each, and raises where the run must stop."""

    def __init__(
        self,
        programs: Mapping[str, NodeProgram],
        links: Mapping[str, Link],
        store: StateStore,
        registries: tuple[PrivateRegistry, ...],
        budget: WaitBudget,
        check: Callable[[], None],
    ) -> None:
        self._programs, self._links, self._store, self._registries = programs, links, store, registries
        self._budget, self._check = budget, check

    def answers(self, queries: Sequence[NodeRequest]) -> Responses:
        """Send queries, which change nothing."""
        return send_all(queries, self._links, self._store)

    def carry_out(self, effect: Effect) -> NodeResponse | TaskResult | FileCopied:
        """Do one thing and return what it brought; ConnectFailed for a task or copy on a node that is not there."""
        self._check()
        if isinstance(effect, NodeRequest):
            return send(effect, self._links, self._store)
        if effect.node not in self._links:
            raise ConnectFailed(f"{effect.node}: not reached, and a step needs it", node=effect.node)
        match effect:
            case RunTask():
                return run_task(self._links[effect.node], effect, self._store, self._registries, self._budget)
            case CopyFile():
                return copy_file(self._programs[effect.node], effect, self._store, self._budget)
            case _:
                assert_never(effect)
