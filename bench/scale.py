"""Measure planning and bringing up simulated clusters of growing size: `make bench-scale`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
from circumstances import CHECKOUT, circumstances, compile_sources
from scale_page import Measured, write_page
from timed import BIN, Failed, run

HERE = Path(__file__).parent
KEPT = HERE / "scale.json"
SIZES = (10, 50, 100, 1000)
MOST = 5000
PATHS = {"PYTHONPATH": str(CHECKOUT)}  # the simulated cluster's parts are those of core's tests
STEPS = (("plan all", "plan"), ("up", "up"), ("plan nothing", "plan"))
"""What is measured of each new cluster, in this order, and the command that does it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machines:
    """Simulated machines, served by a process of their own."""

    folder: Path
    pid: int

    def cpu_s(self) -> float:
        """Return the processor time that they have used (proc(5))."""
        ticks = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


@click.command()
@click.argument("sizes", nargs=-1, type=click.IntRange(1, MOST))
@click.option("--rounds", default=3, show_default=True, help="How often each size is measured; medians are shown.")
def scale(sizes: tuple[int, ...], rounds: int) -> None:
    """Measure clusters of so many nodes (SIZES), keep the figures as JSON, and write them into the documentation."""
    at = circumstances()
    compile_sources(CHECKOUT, "bench", "tests/core/reconcile")
    kept: dict[str, Any] = {**at, "rounds": rounds, "measured": []}
    for nodes in sorted(set(sizes or SIZES)):
        kept["measured"] += [asdict(each) for each in _of_size(nodes, rounds)]
        KEPT.write_text(json.dumps(kept, indent=1) + "\n")  # at each size: a large one may fail after an hour
        click.echo(f"kept in {KEPT}, shown in {write_page(kept)}")


def _of_size(nodes: int, rounds: int) -> Iterator[Measured]:
    for number in range(1, rounds + 1):
        click.echo(f"{nodes} nodes, round {number} of {rounds}")
        with machines(nodes) as simulated:
            for what, command in STEPS:
                yield measure(simulated, nodes, what, command)


def measure(simulated: Machines, nodes: int, what: str, command: str) -> Measured:
    """Measure one command in a process of its own; Failed where it did other work than it is named for."""
    before = simulated.cpu_s()
    timed = run(BIN / "python", HERE / "on_simulated.py", command, simulated.folder, env=PATHS)
    actions = int(timed.out)
    if (actions == 0) != (what == "plan nothing"):
        raise Failed(f"{what}, {nodes} nodes: {actions} actions")
    measured = Measured(
        nodes=nodes,
        what=what,
        actions=actions,
        cpu_s=timed.cpu_s,
        peak_bytes=timed.peak_bytes,
        took_s=timed.took_s,
        machines_cpu_s=simulated.cpu_s() - before,
    )
    click.echo(f"  {what:<13} {measured.cpu_s:9.2f} s {measured.peak_bytes / 1e6:7.0f} MB")
    return measured


@contextmanager
def machines(nodes: int) -> Iterator[Machines]:
    """Serve so many new machines, which end with this."""
    with tempfile.TemporaryDirectory(prefix="rkx-scale-") as folder:
        words = [sys.executable, str(HERE / "simulated.py"), folder, str(nodes)]
        with subprocess.Popen(words, env={**os.environ, **PATHS}, stdout=subprocess.PIPE, text=True) as process:
            try:
                if process.stdout is None or process.stdout.readline() != "ready\n":
                    raise Failed(f"{nodes} simulated machines: not ready")
                yield Machines(folder=Path(folder), pid=process.pid)
            finally:
                process.kill()


if __name__ == "__main__":
    scale()
