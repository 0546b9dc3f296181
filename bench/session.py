"""Take the figures: pair after pair, the script and rkx in turn, on machines made anew."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

import click
from path import Stretch
from rest import wait_for_rest
from sides import Limit, Rkx, Up, fresh, path_of_middle
from timed import BIN, Failed, run

from rkx_lab.errors import LabError
from rkx_lab.state import Lab

HERE = Path(__file__).parent
SAMPLE = HERE.parent / "tests/core/config/fixtures/rke-2017.yml"
REPEATS = 5
"""Of commands that take a fraction of a second, for each pair."""
NO_MONITORING = {"monitoring": {"provider": "none"}}  # what limit.py brings up has none


@dataclass(kw_only=True)
class Session:
    """One run of the bench; ``values`` are its figures by name, ``faults`` what could not be measured."""

    lab: Lab
    folder: Path
    wanted: Collection[str]
    values: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    faults: list[str] = field(default_factory=list)
    _ups: list[Up] = field(default_factory=list)

    def pair(self, number: int) -> None:
        """Measure all that is wanted once, on both sides."""
        stages: tuple[tuple[set[str], Callable[[], None]], ...] = (
            ({"help", "validate"}, self._commands),
            ({"up", "worker", "remove"}, self._limit),
            ({"up", "noop", "remove", "memory"}, self._rkx),
            ({"up", "worker"}, self._everything),
            ({"cold"}, self._limit_cold),
            ({"cold"}, self._rkx_cold),
        )
        for rows, stage in stages:
            if rows & set(self.wanted):
                self._try(number, stage)

    def path(self) -> list[Stretch]:
        """Return the critical path of the ``up`` in the middle."""
        return path_of_middle(self._ups)

    def _try(self, number: int, stage: Callable[[], None]) -> None:
        try:
            stage()
        except (Failed, LabError) as error:
            self.faults.append(f"pair {number}: {error}")
            click.echo(f"  {error}", err=True)

    def _note(self, name: str, value: float) -> None:
        self.values[name].append(value)
        click.echo(f"  {name:<18} {value:10.3f}")

    def _cluster(self, name: str, *, everything: bool = False) -> Rkx:
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        rkx = Rkx(lab=self.lab, folder=folder, changes={} if everything else NO_MONITORING)
        rkx.write()
        return rkx

    def _limit(self) -> None:
        fresh(self.lab, preload=True)
        limit = Limit(lab=self.lab, folder=self.folder / "limit")
        self._note("limit", limit.up())
        self._note("limit down", limit.down())

    def _rkx(self) -> None:
        fresh(self.lab, preload=True)
        rkx = self._cluster("rkx")
        up = rkx.up()
        self._ups.append(up)
        self._note("up", up.done_s)
        self._note("memory", up.process.peak_bytes / 1e6)
        if "noop" in self.wanted:
            self._noop(rkx)
        if "remove" in self.wanted:
            self._note("remove", rkx.command("remove", "--yes", "--json").took_s)

    def _noop(self, rkx: Rkx) -> None:
        first = self.lab.machines[0].address
        counted = rkx.counted_up().values()
        click.echo(f"  at rest, {wait_for_rest():.0%} busy")
        for _ in range(REPEATS):
            login: list[str | Path] = [BIN / "python", HERE / "login.py", first, self.lab.key, self.lab.known_hosts]
            self._note("imports and login", run(*login).took_s)
            self._note("fewer imports", run(*login, rkx.counts).took_s)
            self._note("noop", rkx.command("up", "--json").took_s)
        self._note("logins", max(node["logins"] for node in counted))
        self._note("requests", max(node["requests"] for node in counted))

    def _everything(self) -> None:
        fresh(self.lab, preload=True)
        rkx = self._cluster("everything", everything=True)
        self._note("up, everything", rkx.up().done_s)
        if "worker" in self.wanted:
            self._note("worker", rkx.up(len(self.lab.machines)).done_s)

    def _limit_cold(self) -> None:
        fresh(self.lab, preload=False)
        self._note("cold limit", Limit(lab=self.lab, folder=self.folder / "limit").up())

    def _rkx_cold(self) -> None:
        fresh(self.lab, preload=False)
        self._note("cold", self._cluster("cold").up().done_s)

    def _commands(self) -> None:
        sample = self.folder / "sample.yml"
        sample.write_text(SAMPLE.read_text().replace("/home/user/.ssh/id_rsa", str(self.lab.rsa_key)))
        for _ in range(REPEATS):
            self._note("import click", run(BIN / "python", "-c", "import click").took_s)
            self._note("help", run(BIN / "rkx", "--help").took_s)
            self._note("validate", run(BIN / "rkx", "validate", "--file", sample).took_s)
