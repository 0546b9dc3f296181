"""The rows of the table: what is measured, against what, and what is allowed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

Values = Mapping[str, Sequence[float]]
"""Every figure that was taken, in the order of the pairs, by its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """``figure`` may be at most ``factor`` times the yardstick and ``extra`` more; no yardstick: ``extra`` alone."""

    name: str
    title: str
    figure: str
    yardstick: str = ""
    factor: float = 0.0
    extra: float = 0.0
    unit: str = "s"


ROWS = (
    Row(name="up", title="up, images present", figure="up", yardstick="limit", factor=1.25),
    Row(name="cold", title="up, images to pull", figure="cold", yardstick="cold limit", factor=1.25),
    Row(name="noop", title="up, nothing to do", figure="noop", yardstick="imports and login", factor=2.5),
    Row(name="noop", title="  SSH logins, most of a node", figure="logins", extra=1, unit=""),
    Row(name="noop", title="  Docker requests, most of a node", figure="requests", extra=25, unit=""),
    Row(name="worker", title="one more worker", figure="worker", yardstick="limit", factor=0.6),
    Row(name="remove", title="remove", figure="remove", yardstick="limit down", factor=3),
    Row(name="help", title="rkx --help", figure="help", yardstick="import click", factor=1.5, extra=0.04),
    Row(name="validate", title="rkx validate of the sample", figure="validate", yardstick="import click", factor=8),
    Row(name="memory", title="most memory of up, three nodes", figure="memory", extra=150, unit="MB"),
)
NAMES = tuple(dict.fromkeys(row.name for row in ROWS))
HEAD = f"{'what':<34} {'median':>10} {'yardstick':>28} {'ratio':>6} {'at most':>9}       {'before':>8}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A row with its medians; ``bound`` is the most that is allowed."""

    row: Row
    median: float
    yardstick: float
    bound: float

    @property
    def passes(self) -> bool:
        """Return whether it is within what is allowed."""
        return self.median <= self.bound


def judge(row: Row, values: Values) -> Judged | None:
    """Judge one row; None if a figure of it could not be taken."""
    if not values.get(row.figure) or (row.yardstick and not values.get(row.yardstick)):
        return None
    yardstick = median(values[row.yardstick]) if row.yardstick else 0.0
    return Judged(
        row=row, median=median(values[row.figure]), yardstick=yardstick, bound=row.factor * yardstick + row.extra
    )


def line(row: Row, values: Values, before: Values) -> str:
    """Write one row; ``before`` are the figures of an earlier run."""
    judged, earlier = judge(row, values), judge(row, before)
    if judged is None:
        return f"{row.title:<34} not measured  FAIL"
    stick = f"{row.yardstick} {judged.yardstick:.3f} s" if row.yardstick else ""
    ratio = f"{judged.median / judged.yardstick:.2f}" if row.yardstick else ""
    change = f"{judged.median / earlier.median - 1:+.0%}" if earlier and earlier.median else ""
    figure, bound = _shown(judged.median, row.unit), _shown(judged.bound, row.unit)
    verdict = "pass" if judged.passes else "FAIL"
    return f"{row.title:<34} {figure:>10} {stick:>28} {ratio:>6} {bound:>9}  {verdict} {change:>8}"


def _shown(value: float, unit: str) -> str:
    return f"{value:.3f} s" if unit == "s" else f"{value:.0f} {unit}".strip()
