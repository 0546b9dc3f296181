"""Which demonstrations were shown: a table at the end, and a red run where a test on machines is missing or skipped."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path

import pytest

LISTED = Path(__file__).parent / "golden" / "lab_tests.txt"
"""Every test on machines, and how many cases of it `make test` runs at least: one that gets lost is missed."""

DEMONSTRATIONS = {
    1: "a cluster that works",
    2: "a second up does nothing",
    3: "drift is repaired alone",
    4: "killed anywhere, converges",
    5: "a change restarts what it must",
    6: "a node comes and goes",
    7: "remove leaves the machines as they were",
    8: "the sample of 2017",
    9: "no key in the open",
    10: "all comes back after a restart",
    11: "what the Engine was asked",
}


class Shown:
    """Collects the outcome of each test that is marked with a demonstration's number."""

    def __init__(self, config: pytest.Config, listed: Mapping[str, int]) -> None:
        self._config, self._listed = config, listed
        self.unlike: list[str] = []
        self._numbers: dict[str, int] = {}
        self._rows: dict[int, list[tuple[str, float]]] = defaultdict(list)
        self._on_machines: set[str] = set()
        self.skipped: list[str] = []

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        self._on_machines = {item.nodeid for item in items if item.get_closest_marker("lab")}
        for item in items:
            if marker := item.get_closest_marker("demonstration"):
                self._numbers[item.nodeid] = marker.args[0]

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        here = [item.nodeid.partition("[")[0] for item in session.items if item.get_closest_marker("lab")]
        found = Counter(here)
        fewer = [f"{name}: {found[name]} of {n} cases" for name, n in self._listed.items() if found[name] < n]
        self.unlike = [*fewer, *(f"{name}: not in {LISTED.name}" for name in found if name not in self._listed)]

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped:  # a whole file, so its tests' marks are not known
            self.skipped.append(report.nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped and report.nodeid in self._on_machines:
            self.skipped.append(report.nodeid)
        number = self._numbers.get(report.nodeid)
        if number is not None and (report.when == "call" or report.outcome != "passed"):
            self._rows[number].append((report.outcome, report.duration))

    @property
    def _complete(self) -> bool:
        return bool(self._config.getoption("--all-demonstrations"))

    def missing(self) -> list[int]:
        """List demonstrations of which no case ran, or one was skipped."""
        return [
            n for n in DEMONSTRATIONS if not self._rows[n] or any(outcome == "skipped" for outcome, _ in self._rows[n])
        ]

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._complete and (self.missing() or self.skipped or self.unlike):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not any(self._rows.values()) and not self._complete:
            return
        terminalreporter.section("demonstrations")
        for number, title in DEMONSTRATIONS.items():
            rows = self._rows[number]
            passed = sum(outcome == "passed" for outcome, _ in rows)
            seconds = sum(duration for _, duration in rows)
            terminalreporter.line(f"{number:>3}  {title:<44} {passed} of {len(rows)} cases passed  {seconds:7.1f} s")
        if self._complete and self.missing():
            terminalreporter.line(f"not shown, so this run is red: {', '.join(map(str, self.missing()))}")
        if self._complete and self.skipped:
            terminalreporter.line(f"skipped, so this run is red: {', '.join(self.skipped)}")
        if self._complete and self.unlike:
            terminalreporter.line(f"not as listed, so this run is red: {', '.join(self.unlike)}")


def listed() -> dict[str, int]:
    """Read which tests on machines there are, and how many cases of each."""
    rows = (line.rpartition(" ") for line in LISTED.read_text().splitlines())
    return {name: int(cases) for name, _, cases in rows}
