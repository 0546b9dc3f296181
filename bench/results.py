"""Keep results, so that the next run can be compared."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from circumstances import RESULTS, keep
from session import Session
from sides import limit_digest

BASELINE = Path(__file__).with_name("baseline.json")
"""Results that the repository keeps, for who has none of their own yet."""


def newest() -> dict[str, Any]:
    """Return the newest results that were taken with the same limit.py, or the baseline; empty if there are none."""
    for path in [*sorted(RESULTS.glob("*.json"), reverse=True), BASELINE]:
        found: dict[str, Any] = json.loads(path.read_text())
        if found["limit_sha256"] == limit_digest():
            return found
    return {}


def save(session: Session, at: Mapping[str, Any]) -> Path:
    """Keep the results of a run beside its circumstances; gives the file's path."""
    return keep(
        {
            **at,
            "limit_sha256": limit_digest(),
            "values": session.values,
            "faults": session.faults,
            "critical_path": [asdict(stretch) for stretch in session.path()],
        }
    )
