"""Take the steps of plugins: ask, let the plugin decide, act; until it says that the step is done."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from rkx.errors import NotReady, Refused
from rkx.lines import cut
from rkx.model.step import Do, Done, Refuse, Step, Wait
from rkx.reconcile.link import Link
from rkx.reconcile.node_requests import send_all
from rkx.reconcile.state_store import StateStore
from rkx.reconcile.wait_budget import WaitBudget
from rkx.registry import Plugins

POLL_S = 0.1
STEP_TIMEOUT_S = 300.0


class Steps:
    """The steps of one run. ``check`` is called before each thing that one does, and raises where the run must stop."""

    def __init__(
        self,
        plugins: Plugins,
        links: Mapping[str, Link],
        store: StateStore,
        budget: WaitBudget,
        check: Callable[[], None],
    ) -> None:
        self._plugins, self._links, self._store, self._budget = plugins, links, store, budget
        self._check = check

    def take(self, step: Step) -> Done:
        """Bring a step about, and return its last verdict.

        Raises Refused where its plugin refuses, NotReady where it does not end in time.
        """
        since, why = time.monotonic(), ""
        while self._budget.left(since, STEP_TIMEOUT_S) and not self._budget.cancelled.is_set():
            match self._plugins.step(step, send_all(step.queries, self._links, self._store)):
                case Done() as done:
                    return done
                case Do(requests=requests):
                    self._check()
                    send_all(requests, self._links, self._store)
                case Wait(why=why):
                    self._budget.cancelled.wait(POLL_S)
                case Refuse(why=why, hint=hint):
                    raise Refused(f"{step.verb} {step.subject}: {cut(why)}", hint=cut(hint))
        raise NotReady(f"{step.verb} {step.subject} ({step.reason}) did not end: {cut(why)}")
