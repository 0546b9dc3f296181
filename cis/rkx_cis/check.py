"""One check of the benchmark, by its number there; what it says is told in words of our own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rkx_cis.look import Judge

Kind = Literal["scored", "unscored", "manual"]


@dataclass(frozen=True, slots=True)
class Check:
    """A check: whether it counts, what it wants, and who judges it."""

    id: str
    kind: Kind
    wants: str
    judge: Judge


def scored(number: str, wants: str, judge: Judge) -> Check:
    """Make a check that counts."""
    return Check(number, "scored", wants, judge)


def unscored(number: str, wants: str, judge: Judge) -> Check:
    """Make a check that is tested and does not count."""
    return Check(number, "unscored", wants, judge)


def by_hand(number: str, wants: str, judge: Judge) -> Check:
    """Make a check that a person has to judge."""
    return Check(number, "manual", wants, judge)
