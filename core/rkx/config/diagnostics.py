"""Collect what is wrong with values that are well-formed one by one."""

from __future__ import annotations

from collections.abc import Iterable

from rkx.config.document import Document
from rkx.config.tree import says_nothing
from rkx.errors import Problem


class Diagnostics:
    """Problems found so far, and which top-level keys are too broken to be judged further."""

    def __init__(self, document: Document, broken: frozenset[str]) -> None:
        self.document = document
        self.broken = broken
        self.problems: list[Problem] = []

    def error(self, where: str, message: str, hint: str = "") -> None:
        """Note a mistake at the value of ``where``."""
        self.problems.append(Problem(where=where, message=message, hint=hint))

    def warn(self, where: str, message: str, hint: str = "") -> None:
        """Note something that works, but perhaps not as meant."""
        self.problems.append(Problem(where=where, message=message, hint=hint, warning=True))

    def without_place(self, message: str, hint: str) -> None:
        """Warn of something that is nowhere in the file."""
        self.problems.append(Problem(where="", message=message, hint=hint, warning=True))

    def at_key(self, where: str, message: str, hint: str = "", *, warning: bool = False) -> None:
        """Note a problem at the key rather than its value."""
        mark = self.document.key_mark(where)
        problem = Problem(where=where, message=message, hint=hint, warning=warning, line=mark.line, column=mark.column)
        self.problems.append(problem)

    def idle(self, where: str, keys: Iterable[str], why: str) -> None:
        """Warn about each non-empty key of a mapping that no provider reads."""
        for path in (f"{where}.{key}" for key in keys):
            tree = self.document.find(path)
            if tree is not None and not says_nothing(tree):
                self.at_key(path, f"no effect: {why}", "take it out", warning=True)

    def position(self, where: str) -> str:
        """Return a place for use inside another problem's text."""
        place = self.document.locate(where)
        return f"{place.line}:{place.column}"
