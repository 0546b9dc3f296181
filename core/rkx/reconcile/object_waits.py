"""Wait for objects of the cluster: Nodes that become Ready, workloads that become healthy."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import closing
from functools import partial
from typing import Any

from rkx.errors import ApiSilent, Interrupted, NotReady
from rkx.lines import cut
from rkx.model.manifest import HealthCheck
from rkx.model.milestone import node_started
from rkx.model.resource import Container
from rkx.reconcile import probe
from rkx.reconcile.desired import Desired
from rkx.reconcile.health import behind, collection, story, unhealthy
from rkx.reconcile.link import Link
from rkx.reconcile.objects import ClusterApi
from rkx.reconcile.wait_budget import WaitBudget

Live = Mapping[str, Any]
Judge = Callable[[Live], str]
NODE_TIMEOUT_S = 180.0
WATCH_S = 5.0
"""How long one watch lasts; a cancelled run is noticed in between."""


class ObjectWaits:
    """The waits of one run."""

    def __init__(self, api: ClusterApi, desired: Desired, links: Mapping[str, Link], budget: WaitBudget) -> None:
        self._api, self._desired, self._links, self._budget = api, desired, links, budget

    def wait_for_node(self, node: str) -> None:
        """Wait until a Node is Ready; NotReady tells the last lines of its agent."""
        try:
            self.until("/api/v1/nodes", node, partial(unhealthy, "Node"), f"Node {node}", NODE_TIMEOUT_S)
        except NotReady as error:
            raise NotReady(error.message, hint=self._last_lines(node)) from error

    def _last_lines(self, node: str) -> str:
        link, started = self._links.get(node), node_started(node)
        agents = [r for r in self._desired.on(node) if isinstance(r, Container) and started in r.reaches]
        if link is None or not agents:
            return "the node is not reachable"
        return f"the last lines of {agents[0].name}:\n{probe.last_lines(link, agents[0].name)}"

    def wait_for(self, check: HealthCheck) -> None:
        """Wait until a workload is healthy; NotReady describes its pods."""
        try:
            self.until_healthy(check, self._desired.cluster.addon_timeout_s)
        except NotReady as error:
            raise NotReady(error.message, hint=story(self._api, check)) from error

    def until_healthy(self, check: HealthCheck, timeout_s: float) -> None:
        """Wait until an object is healthy; NotReady says what is wrong with it."""
        path = collection(self._api, check)
        what = f"{check.kind} {check.namespace}/{check.name}".replace(" /", " ")
        judge = partial(unhealthy, check.kind)
        self.until(path, check.name, judge, what, timeout_s, self._behind if check.kind == "DaemonSet" else None)

    def _behind(self, live: Live) -> str:
        return behind(live, [node.value for node in self._api.listed("/api/v1/nodes")])

    def until(
        self, path: str, name: str, judge: Judge, what: str, timeout_s: float = 60.0, confirm: Judge | None = None
    ) -> None:
        """Watch an object until ``judge`` finds nothing wrong with it, nor ``confirm``, which may ask more.

        Raises NotReady after ``timeout_s``, Interrupted if the run is cancelled.
        """
        since, why = time.monotonic(), "is not there"
        cancelled = self._budget.cancelled
        while rest := self._budget.left(since, timeout_s):
            try:
                if not (why := self._watched(path, name, judge, min(rest, WATCH_S), confirm)):
                    return
            except (ApiSilent, OSError) as error:
                why = cut(str(error))
            if cancelled.wait(probe.POLL_S):
                raise Interrupted(f"cancelled while waiting for {what}")
        raise NotReady(f"{what} was not healthy within {time.monotonic() - since:.0f} s: {why}")

    def _watched(self, path: str, name: str, judge: Judge, limit_s: float, confirm: Judge | None) -> str:
        """Say what is wrong at the end of one watch, whose stream is given back before anything else is asked."""
        live: Live = {}
        why = "is not there"
        with closing(self._api.watch(path, name, limit_s)) as lives:
            for live in lives:
                if not (why := judge(live)) or self._budget.cancelled.is_set():
                    break
        return why or (confirm(live) if confirm else "")
