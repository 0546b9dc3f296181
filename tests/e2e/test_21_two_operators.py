"""Two operators on two computers at the same time: one works, the other is told so and changes nothing."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from computers import Computer, computer
from harness import Cluster
from lone import of_one, spare

from rkx_lab.state import Lab

__all__ = ["spare"]  # a fixture
pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]
STATE = "cluster.rkxstate"
WORK = "kubelet"
LOCK = "rkx-lock"
LIMIT_S = 120


@dataclass(frozen=True, kw_only=True)
class Operator:
    """An operator with a cluster.yml and a state of his own."""

    computer: Computer
    cluster: Cluster

    @property
    def state(self) -> Path:
        return self.computer.folder / STATE

    def wish(self, most: int) -> None:
        """Want another number of pods: his own, so that it shows whose run it was."""
        self.cluster.values["services"]["kubelet"]["extra_args"]["max-pods"] = str(most)
        self.cluster.write()

    def ended(self, process: subprocess.Popen[str]) -> tuple[int, str, str]:
        out, err = process.communicate(timeout=LIMIT_S)
        return process.returncode, out, err

    def plan(self) -> tuple[int, str, str]:
        return self.ended(self.computer.rkx("plan", "--json"))


@pytest.fixture(scope="module")
def operators(lab: Lab, spare: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Operator]]:
    """Two operators of one running cluster of one machine."""
    folder = tmp_path_factory.mktemp("operators")
    with ExitStack() as stack:
        computers = [stack.enter_context(computer(lab, folder / str(number), number)) for number in (1, 2)]
        both = [Operator(computer=each, cluster=of_one(lab, spare, each.folder)) for each in computers]
        both[0].cluster.rkx("up", "--plain").check()
        shutil.copy(both[0].state, both[1].state)
        yield both


def happened(cluster: Cluster, since: str, name: str) -> list[str]:
    """List what happened to a container by its name since a time of the machine's clock."""
    machine = cluster.machines[0].name
    form = "{{.Action}}"
    now = cluster.on(machine, "date", "+%s.%N").strip()
    times = ("--since", since, "--until", now)
    return cluster.on(machine, "docker", "events", *times, "--filter", f"container={name}", "--format", form).split()


ROUNDS = [range(2), pytest.param(range(10), marks=pytest.mark.long)]


@pytest.mark.parametrize("rounds", ROUNDS, ids=["two rounds", "ten rounds"])
def test_of_two_operators_at_once_one_works(operators: list[Operator], rounds: range) -> None:
    machine = operators[0].cluster.machines[0].name
    for number in rounds:
        for place, operator in enumerate(operators):
            operator.wish(50 + 10 * number + place)
        since = operators[0].cluster.on(machine, "date", "+%s.%N").strip()
        states = [operator.state.read_bytes() for operator in operators]
        first = number % 2  # to start is a race: let each have the better place in turn
        order = [operators[first], operators[1 - first]]
        processes = [operator.computer.rkx("up", "--plain") for operator in order]
        ends = [operator.ended(process) for operator, process in zip(order, processes, strict=True)]
        ends = [ends[order.index(operator)] for operator in operators]

        codes = [code for code, _, _ in ends]
        assert sorted(codes)[0] == 0, ends
        assert sorted(codes)[1] in (5, 8), ends
        won = codes.index(0)
        winner, loser = operators[won], operators[1 - won]
        _, out, err = ends[1 - won]
        word = "holds the lock" if codes[1 - won] == 5 else "is older than"
        assert word in err, err
        assert "another computer" in err or codes[1 - won] == 8, err
        assert WORK not in out, out
        assert loser.state.read_bytes() == states[1 - won]
        assert happened(winner.cluster, since, WORK).count("start") == 1
        locks = [action for action in happened(winner.cluster, since, LOCK) if action in ("create", "destroy")]
        assert locks == ["create", "destroy"] * (len(locks) // 2)

        code, _, err = winner.plan()
        assert code == 0, err
        winner.cluster.has_nothing_to_do()
        code, out, err = loser.plan()
        assert (code, "is older than" in err) == (8, True), err
        shutil.copy(winner.state, loser.state)
