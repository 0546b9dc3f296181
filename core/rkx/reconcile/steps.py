"""Take the steps of plugins: ask, let the plugin decide, act; until it says that the step is done."""

from __future__ import annotations

import time

from rkx.errors import NotReady, Refused
from rkx.lines import cut
from rkx.model.cluster import Cluster
from rkx.model.step import Do, Done, Effect, FileCopied, NodeResponse, Refuse, Step, TaskResult, Wait
from rkx.reconcile.effects import Effects
from rkx.reconcile.wait_budget import WaitBudget
from rkx.registry import Plugins

POLL_S = 0.1
STEP_TIMEOUT_S = 300.0
"""Of a step that waits; what it does has limits of its own."""


class Steps:
    """The steps of one run."""

    def __init__(self, plugins: Plugins, cluster: Cluster, effects: Effects, budget: WaitBudget) -> None:
        self._plugins, self._cluster, self._effects, self._budget = plugins, cluster, effects, budget

    def take(self, step: Step) -> Done:
        """Bring a step about, and return its last verdict.

        Raises Refused where its plugin refuses, NotReady where it does not end in time.
        """
        since, why = time.monotonic(), ""
        results: dict[Effect, NodeResponse | TaskResult | FileCopied] = {}
        while self._budget.left(since, STEP_TIMEOUT_S) and not self._budget.cancelled.is_set():
            match self._plugins.step(self._cluster, step, self._effects.answers(step.queries), results):
                case Done() as done:
                    return done
                case Do(effects=effects):
                    began = time.monotonic()
                    results |= {effect: self._effects.carry_out(effect) for effect in effects}
                    since += time.monotonic() - began
                case Wait(why=why):
                    self._budget.cancelled.wait(POLL_S)
                case Refuse(why=why, hint=hint):
                    raise Refused(f"{step.verb} {step.subject}: {cut(why)}", hint=cut(hint))
        raise NotReady(f"{step.verb} {step.subject} ({step.reason}) did not end: {cut(why)}")
