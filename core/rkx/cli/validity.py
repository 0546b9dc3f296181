"""What ``validate --json`` says: the problems of a file as values."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from msgspec.structs import asdict

from rkx.errors import ConfigError, Problem


def problems_of(file: Path, mode: Literal["strict", "warn"]) -> tuple[int, dict[str, Any]]:
    """Load a file, and give the exit code and all mistakes and warnings."""
    from rkx import api

    try:
        return 0, _values(True, api.load(file, mode=mode, fetch=False, secrets=False).warnings)
    except ConfigError as error:
        found = error.problems or (Problem(where="", message=error.message, hint=error.hint, file=str(file)),)
        return error.exit_code, _values(False, found)


def _values(valid: bool, problems: tuple[Problem, ...]) -> dict[str, Any]:
    return {"v": 1, "valid": valid, "problems": [_without_source(problem) for problem in problems]}


def _without_source(problem: Problem) -> dict[str, Any]:
    from rkx.config import bounded

    # The source line may hold a secret of the file.
    return {name: value for name, value in asdict(bounded(problem)).items() if name != "source"}
