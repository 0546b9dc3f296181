"""Emptying a node: pods that may not go are asked for ever more seldom."""

from __future__ import annotations

import io
import threading
import time
from collections import Counter

import pytest
import urllib3

from rkx.errors import Interrupted, PartlyDone
from rkx.model.cluster import DrainOptions
from rkx.reconcile.answers import Said, of_api
from rkx.reconcile.drain import drain
from rkx.reconcile.objects import ClusterApi
from rkx.reconcile.sessions import Answer
from rkx.reconcile.wait_budget import WaitBudget

HELD = 20


class Holding(ClusterApi):
    """An API server that holds every pod, on a clock that goes as fast as anybody waits."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.at: list[float] = []
        self.now = 0.0

    def listed(self, path: str, **params: str) -> list[Said]:
        self.asked["list"] += 1
        names = [f"pod-{number}" for number in range(HELD)]
        owner = {"kind": "ReplicaSet"}
        pods = [{"metadata": {"name": n, "namespace": "a", "ownerReferences": [owner]}} for n in names]
        return of_api({"items": pods}, path).rows("items")

    def create(self, path: str, body: object) -> Answer:
        self.asked[path] += 1
        self.at.append(self.now)
        held = io.BytesIO(b"held by a budget")
        return Answer(urllib3.HTTPResponse(held, status=429, preload_content=False), "one")


class Waits(threading.Event):
    """Passes the time instead of waiting for it."""

    def __init__(self, api: Holding) -> None:
        super().__init__()
        self._api = api

    def wait(self, timeout: float | None = None) -> bool:
        self._api.now += timeout or 0
        return self.is_set()


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Holding:
    made = Holding()
    monkeypatch.setattr(time, "monotonic", lambda: made.now)
    return made


def test_pods_that_a_budget_holds_are_asked_for_ever_more_seldom(api: Holding) -> None:
    with pytest.raises(PartlyDone, match=r"was not empty after 120 s: a/pod-0.*429 held by a budget"):
        drain(api, "one", DrainOptions(timeout_s=120), WaitBudget(Waits(api)))
    lists = api.asked.pop("list")
    assert lists <= 130
    assert all(20 <= count <= 35 for count in api.asked.values())
    assert len(api.asked) == HELD


def test_pods_are_not_asked_for_all_in_one_moment(api: Holding) -> None:
    with pytest.raises(PartlyDone):
        drain(api, "one", DrainOptions(timeout_s=60), WaitBudget(Waits(api)))
    assert max(Counter(at for at in api.at if at > 20).values()) < HELD


def test_a_wait_for_pods_can_be_cancelled() -> None:
    api, cancelled = Holding(), threading.Event()
    threading.Timer(0.3, cancelled.set).start()
    began = time.monotonic()
    with pytest.raises(Interrupted):
        drain(api, "one", DrainOptions(timeout_s=0), WaitBudget(cancelled))
    assert time.monotonic() - began < 5
