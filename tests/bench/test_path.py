"""The way to the end of a run is found from its events, without a gap."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from path import critical_path


def event(seq: int, at_s: float, kind: str, key: str = "", verb: str = "create") -> dict[str, Any]:
    """Make an event of a run whose process started at moment 0."""
    return {"seq": seq, "at": datetime.fromtimestamp(at_s, UTC).isoformat(), "kind": kind, "key": key, "verb": verb}


EVENTS = [
    event(1, 1.0, "run-started"),
    event(2, 2.0, "action-started", "a"),
    event(3, 2.0, "action-started", "quick"),
    event(4, 2.5, "action-finished", "quick"),
    event(5, 4.0, "action-finished", "a"),
    event(6, 4.0, "action-started", "b"),
    event(7, 7.0, "action-finished", "b"),
    event(8, 8.0, "run-finished"),
]


def test_the_chain_leads_from_start_to_end() -> None:
    found = critical_path(EVENTS, started_at=0.0, took_s=8.5)
    assert [(each.what, each.at_s, each.took_s) for each in found] == [
        ("Python starts, cluster.yml is read", 0.0, 1.0),
        ("looks at the nodes and plans", 1.0, 1.0),
        ("create a", 2.0, 2.0),
        ("create b", 4.0, 3.0),
        ("keeps the state, closes", 7.0, 1.0),
        ("Python ends", 8.0, 0.5),
    ]
