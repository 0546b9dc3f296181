"""Mistakes of a file, noted while it is decoded."""

from __future__ import annotations

from typing import Any

from rkx.config.tree import Mark, Plain, Tree
from rkx.errors import Problem

FAILED: Any = object()
"""What a value that could not be decoded becomes; its problem is noted."""


class Noted:
    """The ``problems`` of a file, how many of them are ``errors``, and in ``secrets`` each secret's line and column."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.errors = 0
        self.secrets: dict[int, int] = {}

    def hide(self, tree: Tree) -> None:
        """Keep the place of a secret, so that no source line shows it."""
        line, column = tree.mark
        self.secrets[line] = min(column, self.secrets.get(line, column))

    def note(self, mark: Mark, where: str, message: str, hint: str = "", *, warning: bool = False) -> None:
        """Keep a problem."""
        problem = Problem(
            where=where, message=message, hint=hint.strip(), warning=warning, line=mark.line, column=mark.column
        )
        self.problems.append(problem)
        self.errors += not warning

    def fail(self, mark: Mark, where: str, message: str, hint: str = "") -> Plain:
        """Keep an error and give FAILED."""
        self.note(mark, where, message, hint)
        return FAILED
