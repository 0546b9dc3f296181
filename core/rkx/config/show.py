"""Print problems as a compiler does: place, path, what, the line, a caret, a hint."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from rkx.errors import Problem
from rkx.lines import cut, hanging

MOST = 100


def show(problems: Sequence[Problem]) -> str:
    """Return the text for a terminal; at most 100 problems."""
    shown = [_one(bounded(problem)) for problem in problems[:MOST]]
    if len(problems) > MOST:
        shown.append(f"and {len(problems) - MOST} more")
    return "\n".join(shown)


def bounded(problem: Problem) -> Problem:
    """Return a problem whose texts, which may quote a file or a server, have an end."""
    return replace(problem, where=cut(problem.where), message=cut(problem.message), hint=cut(problem.hint))


def _one(problem: Problem) -> str:
    place = f"{problem.file}:{problem.line}:{problem.column}: " if problem.line else f"{problem.file}: "
    where = f"{problem.where}: " if problem.where else ""
    what = f"{place if problem.file else ''}{'warning: ' if problem.warning else ''}{where}{problem.message}"
    lines = [hanging(what)]
    if problem.line and problem.source:
        number = f"{problem.line:5}"
        # Tabs stay tabs, so that the caret is under its letter.
        blank = "".join("\t" if letter == "\t" else " " for letter in problem.source[: problem.column - 1])
        lines += [f"{number} | {problem.source}", f"{' ' * len(number)} | {blank}^"]
    if problem.hint:
        lines.append(hanging(f"hint: {problem.hint}"))
    return "\n".join(lines)
