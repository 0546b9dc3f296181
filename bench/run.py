"""Measure rkx against limit.py, a script that does the least, on machines of the lab: `make bench`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from statistics import median

import click
from borrowed import borrowed
from circumstances import CHECKOUT, circumstances, compile_sources
from path import shown
from results import newest, save
from rows import HEAD, NAMES, ROWS, judge, line
from session import Session
from sides import NODES, limit_digest

from rkx_lab.state import Lab


@click.command()
@click.option("--pairs", default=3, show_default=True, help="How often each side is measured.")
@click.option("--rows", default=",".join(NAMES), show_default=True, help="Which rows, separated by commas.")
@click.option("--lab", "name", help="A lab of four machines that is up; by default one is made, and ended.")
def bench(pairs: int, rows: str, name: str | None) -> None:
    """Measure pair after pair, print medians beside what is allowed; exit 1 if something is not."""
    wanted = rows.split(",")
    if unknown := set(wanted) - set(NAMES):
        raise click.BadParameter(f"no row is called {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    with borrowed(name, NODES + 1) as lab:
        passed = _measure(lab, pairs, wanted)
    sys.exit(0 if passed else 1)


def _measure(lab: Lab, pairs: int, wanted: list[str]) -> bool:
    at = circumstances()
    compile_sources(CHECKOUT)
    with tempfile.TemporaryDirectory(prefix="rkx-bench-") as folder:
        session = Session(lab=lab, folder=Path(folder), wanted=wanted)
        for number in range(1, pairs + 1):
            click.echo(f"pair {number} of {pairs}")
            session.pair(number)
    before = newest()
    kept = save(session, at)
    _show(session, before)
    click.echo(
        f"\nlimit.py has sha256 {limit_digest()}; {pairs} pairs, load before {at['load_before']}; kept in {kept}"
    )
    judged = [judge(row, session.values) for row in ROWS if row.name in wanted]
    return all(each is not None and each.passes for each in judged)


def _show(session: Session, before: dict[str, object]) -> None:
    if path := session.path():
        click.echo("\nwhere the time of `up` went, images present (the one in the middle):")
        click.echo(shown(path))
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
