"""Measure this checkout beside another revision, on the same machines of the lab: `make bench AGAINST=REVISION`."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import click
from borrowed import borrowed
from builds import Build, here, there
from circumstances import RESULTS, circumstances, keep
from path import Stretch, shown
from ratios import HEAD, ROWS, Figures, Pair, Side, line, order, ratio
from rest import wait_for_rest
from session import NO_MONITORING, REPEATS
from sides import NODES, Rkx, Up, fresh, path_of_middle
from timed import Failed

from rkx_lab.errors import LabError
from rkx_lab.state import Lab


@dataclass(kw_only=True)
class SideBySide:
    """One run: ``pairs`` that were measured whole, ``faults`` of the others."""

    lab: Lab
    folder: Path
    builds: Mapping[Side, Build]
    pairs: list[Pair] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    _ups: dict[Side, list[Up]] = field(default_factory=lambda: {"new": [], "old": []})

    def pair(self, number: int) -> None:
        """Measure both sides, one after the other; a pair with a fault is left out whole."""
        try:
            self.pairs.append({side: self.measure(side) for side in order(number)})
        except (Failed, LabError) as error:
            self.faults.append(f"pair {number}: {error}")
            click.echo(f"  {error}", err=True)

    def measure(self, side: Side) -> Figures:
        """Measure one side on new machines that hold its images, from `up` to `remove`."""
        build, folder = self.builds[side], self.folder / side
        shutil.rmtree(folder, ignore_errors=True)
        fresh(self.lab, preload=True, cluster=build.cluster)
        rkx = Rkx(lab=self.lab, folder=folder, bin=build.bin, changes=NO_MONITORING)
        up = rkx.up()
        self._ups[side].append(up)
        busy = wait_for_rest()
        idle = [rkx.command("up", "--json") for _ in range(REPEATS)]
        removal = rkx.command("remove", "--yes", "--json")
        click.echo(f"  {side}: up {up.done_s:.2f} s; at rest, {busy:.0%} busy; remove {removal.took_s:.2f} s")
        return {
            "up": [up.done_s],
            "noop": [each.took_s for each in idle],
            "cpu": [each.cpu_s for each in idle],
            "memory": [up.process.peak_bytes / 1e6],
            "remove": [removal.took_s],
        }

    def path(self, side: Side) -> list[Stretch]:
        """Return where the time of the ``up`` in the middle went; nothing if that revision's events have other keys."""
        try:
            return path_of_middle(self._ups[side])
        except KeyError:
            return []

    def results(self) -> dict[str, Any]:
        """Return all of it, to be kept."""
        ratios = {row: found and asdict(found) for row in ROWS for found in [ratio(row, self.pairs)]}
        return {"ratios": ratios, "faults": self.faults, **{side: self._of(side) for side in self.builds}}

    def _of(self, side: Side) -> dict[str, Any]:
        build = self.builds[side]
        return {
            "revision": build.revision,
            "libraries": build.libraries(),
            "images": {name: archive.id for name, archive in build.cluster.items()},
            "pairs": [pair[side] for pair in self.pairs],
            "critical_path": [asdict(stretch) for stretch in self.path(side)],
        }


@click.command()
@click.argument("revision")
@click.option("--pairs", default=5, show_default=True, help="How often both sides are measured.")
@click.option("--lab", "name", help="A lab of three machines that is up; by default one is made, and ended.")
def against(revision: str, pairs: int, name: str | None) -> None:
    """Measure this checkout and REVISION in turn; exit 1 only if something could not be measured."""
    builds: dict[Side, Build] = {"old": there(revision), "new": here()}
    at = circumstances()
    with borrowed(name, NODES) as lab, tempfile.TemporaryDirectory(prefix="rkx-bench-") as folder:
        session = SideBySide(lab=lab, folder=Path(folder), builds=builds)
        for number in range(1, pairs + 1):
            click.echo(f"pair {number} of {pairs}: {', then '.join(order(number))}")
            session.pair(number)
    results = session.results()
    kept = keep({**at, **results}, RESULTS / "against")
    show(session, results)
    click.echo(f"\n{len(session.pairs)} pairs, load before {at['load_before']}; kept in {kept}")
    sys.exit(1 if session.faults else 0)


def show(session: SideBySide, results: Mapping[str, Any]) -> None:
    """Print where the time went, then the table, and what else differs between the sides."""
    for side in session.builds:
        click.echo(f"\nwhere the time of `up` went, {side}, {results[side]['revision']} (the one in the middle):")
        click.echo(shown(session.path(side)) or "  unknown")
    click.echo(f"\n{HEAD}")
    for row in ROWS:
        click.echo(line(row, session.pairs))
    for what in ("libraries", "images"):
        if results["new"][what] != results["old"][what]:
            click.echo(f"the sides' {what} differ: see the file of results")
    for fault in session.faults:
        click.echo(f"not measured: {fault.splitlines()[0][:160]}")


if __name__ == "__main__":
    against()
