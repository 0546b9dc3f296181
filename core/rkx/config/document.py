"""The file behind the values: where each path is, and its source line without secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from rkx.config.tree import Items, Mark, Scalar, Table, Tree, as_table
from rkx.errors import Problem

BREAKS = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
SECRET = re.compile(
    r"""(?ix) (["']? [\w-]* (?: pass(?:word|phrase|wd)? | secret | token | credential | (?:ssh|private|access)[_-]?key
    | [-_]key ) (?: s | [_-]id )? ["']? \s* : \s* ) (?![&*|>]) \S .* """
)
WORDS_OF_SECRETS = re.compile(r"pass|secret|token|credential|(?<!\w)key|ssh_key|access_key")
BARE_KEY = re.compile(r"""((?<![\w-])["']?key["']?\s*:\s*)(?![&*|>])\S.*""")
PEM = re.compile(r"-----BEGIN |-----END |^\s*[A-Za-z0-9+/=]{40,}\s*$")


class Place(NamedTuple):
    """A position from 1, and the line of text there; line 0 is unknown."""

    line: int
    column: int
    source: str


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A YAML file that was read; ``root`` is its tree with older spellings already renamed.

    ``hidden`` maps a line to the column where a secret begins.
    """

    path: Path
    lines: tuple[str, ...]
    root: Tree
    hidden: Mapping[int, int] = MappingProxyType({})

    def hide(self, secrets: Mapping[int, int]) -> Document:
        """Return the same document with more secrets that no source line shows."""
        return replace(self, hidden=MappingProxyType({**self.hidden, **secrets}))

    def locate(self, where: str) -> Place:
        """Find a path such as ``services.kubelet.extra_args.v`` or ``nodes[1].role[0]``.

        Falls back to the longest beginning of the path that is in the file.
        """
        mark, tree, rest = Mark(1, 1), self.root, where
        while rest:
            found = _step(tree, rest)
            if found is None:
                break
            tree, mark, rest = found
        return self.at(mark)

    def find(self, where: str) -> Tree | None:
        """Return what is at exactly this path, or None."""
        tree, rest = self.root, where
        while rest:
            found = _step(tree, rest)
            if found is None:
                return None
            tree, _, rest = found
        return tree

    def table(self, where: str) -> Table:
        """Return the mapping at this path, an empty one if there is none."""
        return as_table(self.find(where))

    def key_mark(self, where: str) -> Mark:
        """Return the place of the key at the end of a path, or of its value where there is no key."""
        parent, _, name = where.rpartition(".")
        table = self.find(parent)
        if isinstance(table, Table) and name in table.entries:
            return table.entries[name].key
        place = self.locate(where)
        return Mark(place.line, place.column)

    def at(self, mark: Mark) -> Place:
        """Return the source line at a place."""
        source = source_line(self.lines, mark.line)
        if start := self.hidden.get(mark.line):
            source = f"{source[: start - 1]}***"
        return Place(mark.line, mark.column, source)

    def place(self, problem: Problem) -> Problem:
        """Fill in file, line, column and source line where they are missing."""
        if not problem.where and not problem.line:
            return replace(problem, file=problem.file or str(self.path))
        place = self.at(Mark(problem.line, problem.column)) if problem.line else self.locate(problem.where)
        return replace(
            problem,
            file=problem.file or str(self.path),
            line=place.line,
            column=place.column,
            source=problem.source or _without_value(place, problem),
        )


def source_line(lines: tuple[str, ...], line: int) -> str:
    """Return a line with secrets' values cut out: by name of the key, and PEM blocks."""
    if not 0 < line <= len(lines):
        return ""
    # One sign for each that shows nothing, or turns the line around, so that columns stay.
    text = "".join(letter if letter.isprintable() or letter == "\t" else "\ufffd" for letter in lines[line - 1][:4096])
    if PEM.search(text):
        return "***"
    return SECRET.sub(r"\1***", text)[:200]


def unread_source_line(lines: tuple[str, ...], line: int) -> str:
    """Return a line of a file whose structure is unknown, where ``key`` may be a secret's name too."""
    return BARE_KEY.sub(r"\1***", source_line(lines, line))


def _without_value(place: Place, problem: Problem) -> str:
    """Return the source line, cut behind an unknown key that may be a misspelt secret's."""
    if not problem.message.startswith("unknown key") or not WORDS_OF_SECRETS.search(problem.hint):
        return place.source
    head, colon, _ = place.source[place.column - 1 :].partition(":")
    return f"{place.source[: place.column - 1]}{head}{colon}{' ***' if colon else ''}"


def _step(tree: Tree, rest: str) -> tuple[Tree, Mark, str] | None:
    rest = rest.removeprefix(".")
    match tree:
        case Items():
            found = re.match(r"\[(\d+)\]", rest)
            if found and int(found.group(1)) < len(tree.values):
                value = tree.values[int(found.group(1))]
                return value, value.mark, rest[found.end() :]
        case Table():
            return _entry(tree, rest)
    return None


def _entry(tree: Table, rest: str) -> tuple[Tree, Mark, str] | None:
    fitting = [key for key in tree.entries if rest == key or (rest.startswith(key) and rest[len(key)] in ".[")]
    if not fitting:
        return None
    key = max(fitting, key=len)
    entry = tree.entries[key]
    nothing = isinstance(entry.value, Scalar) and entry.value.is_null
    return entry.value, entry.key if nothing or not entry.value.mark.line else entry.value.mark, rest[len(key) :]
