"""Two revisions beside each other: medians, and how they relate. Nothing here passes or fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

Side = Literal["new", "old"]
Figures = Mapping[str, Sequence[float]]
"""What was taken on one side of a pair, by row; some are taken several times."""
Pair = Mapping[Side, Figures]
ROWS = {
    "up": ("up, images present, three nodes", "s"),
    "noop": ("up, nothing to do", "s"),
    "cpu": ("  processor time of rkx in it", "s"),
    "memory": ("most memory of up", "MB"),
    "remove": ("remove", "s"),
}
HEAD = f"{'what':<34} {'new':>10} {'old':>10} {'new/old':>8}   {'of single pairs':>15}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """Medians of all pairs, their ratio, and the smallest and largest ratio of one pair: noise is what lies between."""

    new: float
    old: float
    ratio: float
    least: float
    most: float


def order(number: int) -> tuple[Side, Side]:
    """Return which side is measured first in a pair, counted from 1: each in turn, so that warm-up favours neither."""
    return ("new", "old") if number % 2 else ("old", "new")


def ratio(row: str, pairs: Sequence[Pair]) -> Ratio | None:
    """Compare both sides in one row; None if no pair was measured."""
    both = [(median(pair["new"][row]), median(pair["old"][row])) for pair in pairs]
    if not both:
        return None
    new, old = (median(values) for values in zip(*both, strict=True))
    single = [one / other for one, other in both]
    return Ratio(new=new, old=old, ratio=new / old, least=min(single), most=max(single))


def line(row: str, pairs: Sequence[Pair]) -> str:
    """Write one row."""
    title, unit = ROWS[row]
    found = ratio(row, pairs)
    if found is None:
        return f"{title:<34} not measured"
    new, old = (f"{value:.3f} {unit}" if unit == "s" else f"{value:.0f} {unit}" for value in (found.new, found.old))
    return f"{title:<34} {new:>10} {old:>10} {found.ratio:8.2f}   {found.least:6.2f} to {found.most:.2f}"
