"""A row passes by its median alone, and one that was not measured fails."""

from __future__ import annotations

from rows import Row, judge, line

ROW = Row(name="up", title="up", figure="up", yardstick="limit", factor=1.25, extra=0.5)


def test_the_median_is_judged_against_the_yardsticks_median() -> None:
    judged = judge(ROW, {"up": [9.0, 10.5, 30.0], "limit": [8.0, 8.0, 99.0]})
    assert judged is not None
    assert (judged.median, judged.yardstick, judged.bound, judged.passes) == (10.5, 8.0, 10.5, True)


def test_a_hair_more_than_allowed_fails() -> None:
    assert line(ROW, {"up": [10.6], "limit": [8.0]}, {}).split()[-1] == "FAIL"


def test_a_row_without_figures_fails() -> None:
    assert line(ROW, {"up": [10.0]}, {}).endswith("not measured  FAIL")


def test_a_row_is_shown_beside_an_earlier_one() -> None:
    shown = line(ROW, {"up": [9.0], "limit": [8.0]}, {"up": [10.0], "limit": [8.0]})
    assert shown.split()[-2:] == ["pass", "-10%"]
