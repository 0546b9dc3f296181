"""What opens the cluster is a mistake, unless cluster.yml accepts it by name."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from msgspec.structs import replace

from rkx.config.names import suggestion
from rkx.config.scalars import shortened
from rkx.errors import Problem
from rkx.model.risk import Risk

KEY = "accept_risk"


def judge(problems: Iterable[Problem], accepted: Sequence[str]) -> Iterator[Problem]:
    """Return the problems with each risk as an error, or as a warning where its name is accepted."""
    for problem in problems:
        if problem.risk:
            taken = problem.risk in accepted
            hint = f"{KEY} names {problem.risk}: it is accepted" if taken else _way(problem, accepted)
            problem = replace(problem, warning=taken, hint=hint)
        yield problem


def _way(problem: Problem, accepted: Sequence[str]) -> str:
    """Return the very line that accepts one more risk."""
    line = f"{KEY}: [{', '.join(dict.fromkeys([*accepted, problem.risk]))}]"
    return f"{problem.hint or 'take it out'}; or accept the risk, at the top of the file: {line}"


def risks(judged: Iterable[Problem]) -> tuple[Risk, ...]:
    """List the accepted risks among judged problems, in their order."""
    found = [each for each in judged if each.risk and each.warning]
    return tuple(Risk(name=each.risk, where=each.where, what=each.message) for each in found)


def idle(accepted: Sequence[str], problems: Sequence[Problem], known: Collection[str]) -> Iterator[Problem]:
    """Name each accepted risk that no plugin in use knows, that nothing in the file carries, or that is repeated."""
    carried = {problem.risk for problem in problems}
    for index, name in enumerate(accepted):
        where = f"{KEY}[{index}]"
        if name not in known:
            hint = suggestion(name, known) or "no plugin in use knows a risk: take it out"
            yield Problem(where=where, message=f'unknown risk "{shortened(name)}"', hint=hint)
        elif name in accepted[:index] or name not in carried:
            why = "named above" if name in accepted[:index] else "nothing in this file carries this risk"
            yield Problem(where=where, message=f"not needed: {why}", hint="take it out", warning=True)
