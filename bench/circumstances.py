"""Under which circumstances figures are taken: what every file of results says, and what is done before."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from timed import BIN, run

CHECKOUT = Path(__file__).parents[1]
RESULTS = CHECKOUT / "bench/results"
SOURCES = ("core", "plugins")


def circumstances() -> dict[str, Any]:
    """Return moment, revision, number of processors and load; asked before the first measurement."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "revision": revision(CHECKOUT),
        "processors": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def revision(checkout: Path) -> str:
    """Return what a checkout is at, marked when files of it were changed since."""
    words = ["git", "describe", "--always", "--dirty"]
    return subprocess.run(words, cwd=checkout, capture_output=True, text=True, check=False).stdout.strip()


def compile_sources(checkout: Path, *more: str, bin: Path = BIN) -> None:
    """Compile as pip does when it installs: the environment may forbid it to the Python that is measured."""
    run(bin / "python", "-m", "compileall", "-q", *(checkout / room for room in (*SOURCES, *more)))


def keep(kept: Mapping[str, Any], folder: Path = RESULTS) -> Path:
    """Write results that hold their circumstances to a file named by their moment; returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{datetime.fromisoformat(kept['at']):%Y%m%dT%H%M%SZ}.json"
    path.write_text(json.dumps(kept, indent=1) + "\n")
    return path
