"""A complete run is red where a demonstration is missing, or a test that wants machines was skipped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest
from shown import DEMONSTRATIONS, Shown

Row = tuple[str, int | None, str]
FOR_ALL: list[Row] = [(f"number {number}", number, "passed") for number in DEMONSTRATIONS]


def item(name: str, number: int | None, *, lab: bool = True) -> pytest.Item:
    """Return as much of a test as is asked for."""
    marks = {"demonstration": SimpleNamespace(args=(number,)) if number else None, "lab": lab or None}
    return cast("pytest.Item", SimpleNamespace(nodeid=name, get_closest_marker=marks.get))


def report(name: str, outcome: Any, when: Any = "call") -> pytest.TestReport:  # noqa: ANN401 - pytest's own literals
    """Return a test's outcome; a skipped test is so before it begins."""
    return pytest.TestReport(name, ("", 0, ""), {}, outcome, None, when)


def result(rows: list[Row], *, complete: bool = True, lab: bool = True, listed: Mapping[str, int] | None = None) -> int:
    """Return the exit status of a run of such tests that was green without us; each is listed, if nothing is given."""
    items = [item(name, number, lab=lab) for name, number, _ in rows]
    config, session = SimpleNamespace(getoption=lambda _name: complete), SimpleNamespace(exitstatus=0, items=items)
    shown = Shown(cast("pytest.Config", config), Counter(name for name, *_ in rows) if listed is None else listed)
    shown.pytest_collection_modifyitems(items)
    shown.pytest_collection_finish(cast("pytest.Session", session))
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
    assert result([*FOR_ALL, ("reads a file", None, "skipped")], lab=False, listed={}) == 0


def test_case_that_is_listed_and_was_not_collected_makes_it_red() -> None:
    listed = Counter([name for name, *_ in FOR_ALL])
    assert result(FOR_ALL, listed=listed | {"bad nodes": 1}) == 1
    assert result(FOR_ALL, listed=listed | {"number 1": 2}) == 1
    assert result(FOR_ALL, listed=listed | {"bad nodes": 1}, complete=False) == 0


def test_test_that_is_not_listed_makes_it_red() -> None:
    assert result(FOR_ALL, listed={name: 1 for name, *_ in FOR_ALL[1:]}) == 1


def test_skipped_file_makes_it_red() -> None:
    shown = Shown(cast("pytest.Config", SimpleNamespace(getoption=lambda _name: True)), {})
    shown.pytest_collectreport(pytest.CollectReport("test_12.py", "skipped", ("", 0, ""), []))
    assert shown.skipped == ["test_12.py"]
