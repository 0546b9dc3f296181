"""What users and plugin authors read: pages, messages, docstrings, comments, each piece with its place."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "SECURITY.md", "CHANGELOG.md", "changelog.d/*.md", "docs/**/*.md", "*/README.md")
SETTINGS = ("cluster.example.yml", "plugins/**/*.toml")
SOURCES = ("core/**/*.py", "plugins/**/*.py", "examples/**/*.py")
COMMENT = re.compile(r"(?:^|\s)#:? .*")
CODE = re.compile(r"``[^`]+``|`[^`\n]+`")


class Piece(NamedTuple):
    """A stretch of prose that begins at a line of a file; names of code are taken out."""

    path: str
    line: int
    text: str


def pieces() -> Iterator[Piece]:
    """Yield all prose of the repository that the word list holds for."""
    for path in _files(*PAGES, *SETTINGS):
        yield from _piece(path, 1, path.read_text())
    for path in _files(*SOURCES):
        yield from _of_source(path, path.read_text())


def _files(*patterns: str) -> Iterator[Path]:
    for pattern in patterns:
        yield from sorted(ROOT.glob(pattern))


def _of_source(path: Path, source: str) -> Iterator[Piece]:
    for number, line in enumerate(source.splitlines(), 1):
        if found := COMMENT.search(line):
            yield from _piece(path, number, found[0])
    for line_number, text in _strings(ast.parse(source)):
        if " " in text:  # a single word is a name, not prose
            yield from _piece(path, line_number, text)


def _strings(node: ast.AST) -> Iterator[tuple[int, str]]:
    if isinstance(node, ast.JoinedStr):
        yield node.lineno, "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.lineno, node.value
    else:
        for child in ast.iter_child_nodes(node):
            yield from _strings(child)


def _piece(path: Path, line: int, text: str) -> Iterator[Piece]:
    yield Piece(str(path.relative_to(ROOT)), line, CODE.sub(_name, text))


def _name(found: re.Match[str]) -> str:
    return "CODE" + "\n" * found[0].count("\n")
