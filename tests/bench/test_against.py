"""A run beside another revision keeps pairs that are whole, and both sides' results."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from against import SideBySide, show
from builds import Build
from ratios import ROWS, Figures, Side
from sides import Rkx, Up
from timed import Failed, Timed

from rkx_lab.state import Lab

LAB = Lab(name="none", engine="", subnet="", gateway="", preload=True)
STARTED = {"kind": "run-started", "at": "1970-01-01T00:00:01+00:00", "seq": 1}
FINISHED = {"kind": "run-finished", "at": "1970-01-01T00:00:02+00:00", "seq": 2}
TIMED = Timed(out="", started_at=0.0, took_s=3.0, cpu_s=1.5, peak_bytes=2_000_000)


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SideBySide:
    """Return a run whose machines are made up, and whose old side was built with another library."""
    monkeypatch.setattr("against.fresh", lambda lab, *, preload, cluster: None)
    monkeypatch.setattr("against.wait_for_rest", lambda: 0.0)
    monkeypatch.setattr(Build, "libraries", lambda build: [f"library=={build.bin}"])
    monkeypatch.setattr(Rkx, "up", lambda rkx: Up(done_s=3.0, process=TIMED, events=[STARTED, FINISHED]))
    monkeypatch.setattr(Rkx, "command", lambda rkx, *words: TIMED)
    builds: dict[Side, Build] = {side: Build(checkout=tmp_path, bin=Path(side), cluster={}) for side in ("new", "old")}
    return SideBySide(lab=LAB, folder=tmp_path, builds=builds)


def test_each_pair_has_every_row_of_both_sides(session: SideBySide) -> None:
    session.pair(1)
    assert [{side: set(figures) for side, figures in pair.items()} for pair in session.pairs] == [
        {"new": set(ROWS), "old": set(ROWS)}
    ]
    assert session.pairs[0]["new"]["cpu"] == [1.5] * 5


def test_a_pair_with_a_fault_on_one_side_is_left_out_whole(
    session: SideBySide, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measure(self: SideBySide, side: Side) -> Figures:
        if side == "old":
            raise Failed("rkx up: exit 6")
        return {row: [1.0] for row in ROWS}

    monkeypatch.setattr(SideBySide, "measure", measure)
    session.pair(2)
    assert (session.pairs, session.faults) == ([], ["pair 2: rkx up: exit 6"])
    assert session.results()["ratios"]["up"] is None


def test_both_results_are_kept_and_what_else_differs_is_told(
    session: SideBySide, capsys: pytest.CaptureFixture[str]
) -> None:
    session.pair(1)
    kept = json.loads(json.dumps(session.results()))
    assert kept["ratios"]["memory"] == {"new": 2.0, "old": 2.0, "ratio": 1.0, "least": 1.0, "most": 1.0}
    assert [kept[side]["pairs"][0]["up"] for side in ("new", "old")] == [[3.0], [3.0]]
    assert [each["what"] for each in kept["old"]["critical_path"]][-1] == "Python ends"
    show(session, kept)
    shown = capsys.readouterr().out
    assert "the sides' libraries differ" in shown
    assert shown.count("Python ends") == 2


def test_a_revision_whose_events_have_other_keys_is_measured_all_the_same(session: SideBySide) -> None:
    session.pair(1)
    session._ups["old"] = [Up(done_s=3.0, process=TIMED, events=[{"name": "started"}])]
    assert session.results()["old"]["critical_path"] == []
