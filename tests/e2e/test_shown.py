"""A complete run is red where a demonstration is missing, or a test that wants machines was skipped."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from shown import DEMONSTRATIONS, Shown

Row = tuple[str, int | None, str]
FOR_ALL: list[Row] = [(f"number {number}", number, "passed") for number in DEMONSTRATIONS]


def item(name: str, number: int | None, *, lab: bool = True) -> pytest.Item:
    """Give as much of a test as is asked for."""
    marks = {"demonstration": SimpleNamespace(args=(number,)) if number else None, "lab": lab or None}
    return cast("pytest.Item", SimpleNamespace(nodeid=name, get_closest_marker=marks.get))


def report(name: str, outcome: Any, when: Any = "call") -> pytest.TestReport:  # noqa: ANN401 - pytest's own literals
    """Give a test's outcome; a skipped test is so before it begins."""
    return pytest.TestReport(name, ("", 0, ""), {}, outcome, None, when)


def result(rows: list[Row], *, complete: bool = True, lab: bool = True) -> int:
    """Give the exit status of a run of such tests that was green without us."""
    config, session = SimpleNamespace(getoption=lambda _name: complete), SimpleNamespace(exitstatus=0)
    shown = Shown(cast("pytest.Config", config))
    shown.pytest_collection_modifyitems([item(name, number, lab=lab) for name, number, _ in rows])
    for name, _, outcome in rows:
        shown.pytest_runtest_logreport(report(name, outcome, "setup" if outcome == "skipped" else "call"))
    shown.pytest_sessionfinish(cast("pytest.Session", session))
    return int(session.exitstatus)


def test_run_that_shows_all_is_green() -> None:
    assert result([*FOR_ALL, ("bad nodes", None, "passed")]) == 0


def test_demonstration_that_did_not_run_makes_it_red() -> None:
    assert result(FOR_ALL[1:]) == 1
    assert result(FOR_ALL[1:], complete=False) == 0


def test_skipped_test_on_machines_makes_it_red_with_or_without_a_number() -> None:
    assert result([*FOR_ALL, ("bad nodes", None, "skipped")]) == 1
    assert result([*FOR_ALL, ("once more", 1, "skipped")]) == 1
    assert result([*FOR_ALL, ("bad nodes", None, "skipped")], complete=False) == 0
    assert result([*FOR_ALL, ("reads a file", None, "skipped")], lab=False) == 0


def test_skipped_file_makes_it_red() -> None:
    shown = Shown(cast("pytest.Config", SimpleNamespace(getoption=lambda _name: True)))
    shown.pytest_collectreport(pytest.CollectReport("test_12.py", "skipped", ("", 0, ""), []))
    assert shown.skipped == ["test_12.py"]
