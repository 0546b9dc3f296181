"""Keep results, so that the next run can be compared."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from session import Session
from sides import limit_digest

FOLDER = Path(__file__).with_name("results")
BASELINE = Path(__file__).with_name("baseline.json")
"""Results that the repository keeps, for who has none of their own yet."""


def newest() -> dict[str, Any]:
    """Give the newest results that were taken with the same limit.py, or the baseline; empty if it has another one."""
    for path in [*sorted(FOLDER.glob("*.json"), reverse=True), BASELINE]:
        found: dict[str, Any] = json.loads(path.read_text())
        if found["limit_sha256"] == limit_digest():
            return found
    return {}


def save(session: Session, load_before: float) -> Path:
    """Write the results of a run to a file named by its moment; gives its path."""
    now = datetime.now(UTC)
    kept = {
        "at": now.isoformat(timespec="seconds"),
        "revision": _revision(),
        "limit_sha256": limit_digest(),
        "processors": os.cpu_count(),
        "load_before": load_before,
        "values": session.values,
        "faults": session.faults,
        "critical_path": [asdict(stretch) for stretch in session.path()],
    }
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{now:%Y%m%dT%H%M%SZ}.json"
    path.write_text(json.dumps(kept, indent=1) + "\n")
    return path


def _revision() -> str:
    asked = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=FOLDER.parent, capture_output=True, text=True, check=False
    )
    return asked.stdout.strip()
