"""All comes back by itself after machines, or their Engines alone, were restarted; rkx is not run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
import words
from harness import Cluster, until
from running import ready
from tenancy import Tenancy

from rkx_lab import faults

pytestmark = [pytest.mark.lab, pytest.mark.demonstration(10), pytest.mark.timeout(600)]
LIMIT_S = 120
ROUNDS = [0, *(pytest.param(number, marks=pytest.mark.long) for number in range(1, 5))]


@dataclass(frozen=True, kw_only=True)
class Serving:
    """A cluster, and its pods that find each other and have volumes."""

    cluster: Cluster
    pods: list[str]

    def is_back(self, machines: Sequence[str], since: datetime) -> bool:
        """Return whether kubelets that run since then report Ready, and Service, DNS and volumes work."""
        return ready(self.cluster, machines, since) and words.all_answer(self.cluster, self.pods)


@pytest.fixture(scope="module")
def serving(tenancy: Tenancy) -> Iterator[Serving]:
    cluster = tenancy.cluster()
    yield Serving(cluster=cluster, pods=words.deploy(cluster))
    words.remove(cluster)


@pytest.mark.parametrize("which", ["first", "second", "third", "all"])
@pytest.mark.parametrize("round_number", ROUNDS)
def test_cluster_is_back_after_machines_were_restarted(serving: Serving, which: str, round_number: int) -> None:
    lab, names = serving.cluster.lab, [machine.name for machine in serving.cluster.machines]
    chosen = names if which == "all" else [names[["first", "second", "third"].index(which)]]
    faults.restart(lab, *chosen)
    booted = datetime.now(UTC)
    until(lambda: serving.is_back(chosen, booted), f"all works after a restart of {chosen}", LIMIT_S)
    until(lambda: serving.cluster.plan()["actions"] == [], "rkx finds nothing to do")


@pytest.mark.parametrize("round_number", ROUNDS)
def test_cluster_is_back_after_dockerd_alone_was_restarted(serving: Serving, round_number: int) -> None:
    names = [machine.name for machine in serving.cluster.machines]
    for name in names:
        faults.restart_dockerd(serving.cluster.lab, name)
    started = datetime.now(UTC)
    until(lambda: serving.is_back(names, started), "all works after each dockerd was restarted", LIMIT_S)
    until(lambda: serving.cluster.plan()["actions"] == [], "rkx finds nothing to do")
