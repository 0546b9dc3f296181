"""Two revisions are compared by medians, in pairs that begin with each in turn."""

from __future__ import annotations

import pytest
from ratios import Pair, line, order, ratio


def pair(new: list[float], old: list[float]) -> Pair:
    return {"new": {"up": new}, "old": {"up": old}}


def test_each_side_is_first_in_turn() -> None:
    assert [order(number)[0] for number in (1, 2, 3, 4)] == ["new", "old", "new", "old"]


def test_the_medians_of_both_sides_are_divided_whatever_one_pair_says() -> None:
    found = ratio("up", [pair([8.0], [10.0]), pair([9.0], [10.0]), pair([90.0], [10.0])])
    assert found is not None
    assert (found.new, found.old, found.ratio, found.least, found.most) == (9.0, 10.0, 0.9, 0.8, 9.0)


def test_what_is_taken_several_times_in_a_pair_counts_by_its_median() -> None:
    found = ratio("up", [pair([1.0, 2.0, 60.0], [4.0, 4.0, 4.0])])
    assert found is not None
    assert found.ratio == 0.5


@pytest.mark.parametrize(("pairs", "shown"), [([], "not measured"), ([pair([3.0], [2.0])], "1.50     1.50 to 1.50")])
def test_a_row_says_its_ratio_or_that_there_is_none(pairs: list[Pair], shown: str) -> None:
    assert line("up", pairs).endswith(shown)
