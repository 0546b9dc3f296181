"""Measure rkx against limit.py, a script that does the least, on machines of the lab: `make bench`."""

from __future__ import annotations

import compileall
import os
import sys
import tempfile
from pathlib import Path
from statistics import median

import click
from results import newest, save
from rows import HEAD, NAMES, ROWS, judge, line
from session import Session
from sides import NODES, limit_digest

from rkx_lab import machines
from rkx_lab.state import Lab, load

OWN = "bench"
SOURCES = [Path(__file__).parents[1] / room for room in ("core", "plugins")]


@click.command()
@click.option("--pairs", default=3, show_default=True, help="How often each side is measured.")
@click.option("--rows", default=",".join(NAMES), show_default=True, help="Which rows, separated by commas.")
@click.option("--lab", "name", help="A lab of four machines that is up; by default one is made, and ended.")
def bench(pairs: int, rows: str, name: str | None) -> None:
    """Measure pair after pair, print medians beside what is allowed; exit 1 if something is not."""
    wanted = rows.split(",")
    if unknown := set(wanted) - set(NAMES):
        raise click.BadParameter(f"no row is called {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    lab = load(name) if name else machines.up(OWN, NODES + 1)
    if len(lab.machines) != NODES + 1:
        raise click.BadParameter(f"lab {lab.name} has {len(lab.machines)} machines, not {NODES + 1}")
    try:
        passed = _measure(lab, pairs, wanted)
    finally:
        if not name:
            machines.down(OWN)
    sys.exit(0 if passed else 1)


def _measure(lab: Lab, pairs: int, wanted: list[str]) -> bool:
    load_before = os.getloadavg()[0]
    for room in SOURCES:  # pip does so when it installs; here the environment may forbid it to Python itself
        compileall.compile_dir(room, quiet=1)
    with tempfile.TemporaryDirectory(prefix="rkx-bench-") as folder:
        session = Session(lab=lab, folder=Path(folder), wanted=wanted)
        for number in range(1, pairs + 1):
            click.echo(f"pair {number} of {pairs}")
            session.pair(number)
    before = newest()
    kept = save(session, load_before)
    _show(session, before)
    click.echo(f"\nlimit.py has sha256 {limit_digest()}; {pairs} pairs, load before {load_before:.2f}; kept in {kept}")
    judged = [judge(row, session.values) for row in ROWS if row.name in wanted]
    return all(each is not None and each.passes for each in judged)


def _show(session: Session, before: dict[str, object]) -> None:
    if path := session.path():
        click.echo("\nwhere the time of `up` went, images present (the one in the middle):")
        for stretch in path:
            click.echo(f"  {stretch.at_s:7.2f} s {stretch.took_s:7.2f} s  {stretch.what}")
    click.echo(f"\n{HEAD}")
    for row in ROWS:
        if row.name in session.wanted:
            click.echo(line(row, session.values, before.get("values", {})))  # type: ignore[arg-type] # as save() wrote
    if fewer := session.values.get("fewer imports"):
        click.echo(f"{'a login, with what it imports alone':<34} {median(fewer):8.3f} s")
    if whole := session.values.get("up, everything"):
        click.echo(f"{'up with everything, beside it':<34} {median(whole):8.3f} s")
    for fault in session.faults:
        click.echo(f"not measured: {fault.splitlines()[0][:160]}")


if __name__ == "__main__":
    bench()
