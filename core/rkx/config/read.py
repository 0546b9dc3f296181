"""Read YAML into a tree, from the parser's events: nothing is constructed, and nothing is repeated without limit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NoReturn, Protocol, TypeAlias

import yaml

from rkx.config.document import BREAKS, Document, unread_source_line
from rkx.config.tree import Entry, Items, Mark, Scalar, Table, Tree
from rkx.errors import ConfigError, Problem
from rkx.growth import Growth, TooMuch

Mode: TypeAlias = Literal["strict", "warn"]
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
SIZE_LIMIT = 1 << 20
DEPTH_LIMIT = 64
REPEAT_LIMIT = 10_000
ENOUGH = 200
UNFIT = re.compile("[\0\ud800-\udfff]")
"""Escapes can write what no path, argument or file of Linux can hold."""
TAGS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "map", "seq"))


def read(content: bytes | str, path: Path, mode: Mode) -> tuple[Document, list[Problem]]:
    """Read one YAML document; what ``mode`` lets pass comes back as problems, anything worse raises ConfigError."""
    text = _text(content, path)
    lines = tuple(BREAKS.split(text))
    composer = _Composer(path=path, lines=lines, lenient=mode == "warn")
    try:
        growth = Growth(depth=DEPTH_LIMIT, repeats=REPEAT_LIMIT)
        root = composer.document(growth.guard(yaml.parse(text, Loader=LOADER)))
    except TooMuch as error:
        composer.fail(_mark(error.mark), error.message, error.hint)
    except yaml.MarkedYAMLError as error:
        composer.fail(*_explained(error, lines))
    except (yaml.YAMLError, ValueError) as error:
        composer.fail(Mark(1, 1), f"not YAML: {error}", "save it as plain text")
    return Document(path=path, lines=lines, root=root), composer.problems


def _text(content: bytes | str, path: Path) -> str:
    def fail(message: str, hint: str, line: int = 1, column: int = 1) -> NoReturn:
        problem = Problem(where="", message=message, hint=hint, file=str(path), line=line, column=column)
        raise ConfigError(message, hint=hint, problems=[problem])

    if len(content) > SIZE_LIMIT:
        fail(f"file of {len(content)} bytes is larger than {SIZE_LIMIT}", "a cluster file holds no data; use files")
    if isinstance(content, bytes):
        if content.startswith((b"\xff\xfe", b"\xfe\xff")):
            fail("the file is UTF-16", "save it as UTF-8")
        try:
            content = content.decode("utf-8")
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            fail(f"byte 0x{error.object[error.start]:02x} is not UTF-8", "save the file as UTF-8", line)
    text = content.removeprefix("\ufeff")
    for index, letter in enumerate(text):
        if (letter < " " and letter not in "\t\n\r") or letter == "\x7f" or "\ud800" <= letter <= "\udfff":
            before = BREAKS.split(text[:index])
            fail(f"control character U+{ord(letter):04X}", "take it out", len(before), len(before[-1]) + 1)
    return text


def _explained(error: yaml.MarkedYAMLError, lines: tuple[str, ...]) -> tuple[Mark, str, str]:
    at = _mark(error.problem_mark or error.context_mark)
    if at.line > len(lines):
        at = Mark(len(lines), len(lines[-1]) + 1)
    for line in (at.line, at.line - 1, at.line + 1):
        text = lines[line - 1] if 0 < line <= len(lines) else ""
        indent = text[: len(text) - len(text.lstrip())]
        if "\t" in indent:
            return Mark(line, indent.index("\t") + 1), "tab in the indentation", "use spaces"
    if "quoted scalar" in (error.context or ""):
        return _mark(error.context_mark), "quote opened here is never closed", "close it, or take it out"
    said = ", ".join(each for each in (error.problem, error.context) if each)
    return at, f"not YAML: {said}", "indent alike what belongs together, and put texts with ': ' or ' #' in quotes"


class _Position(Protocol):
    line: int
    column: int


def _mark(mark: _Position | None) -> Mark:
    return Mark(mark.line + 1, mark.column + 1) if mark else Mark(1, 1)


class _Composer:
    """Makes a tree of events that were counted already, and knows the anchors."""

    def __init__(self, *, path: Path, lines: tuple[str, ...], lenient: bool) -> None:
        self.path, self.lines, self.lenient = path, lines, lenient
        self.problems: list[Problem] = []
        self.anchors: dict[str, Tree] = {}

    def document(self, events: Iterator[yaml.Event]) -> Tree:
        nothing: Tree = Scalar("", Mark(1, 1), plain=True)
        root = nothing
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not nothing:
                    hint = "take it out, with all that follows"
                    self.note(_mark(event.start_mark), "only one YAML document; the second begins here", hint)
                    if self.lenient:
                        break
                    return root
            elif isinstance(event, yaml.NodeEvent):
                root = self.node(event, events)
        return root

    def node(self, event: yaml.Event, events: Iterator[yaml.Event]) -> Tree:
        mark = _mark(event.start_mark)
        if isinstance(event, yaml.AliasEvent):
            return self.anchors[event.anchor or ""]
        if not isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent):
            self.fail(mark, "not YAML: a value was expected", "write one, or take the key out")
        if event.tag not in (None, "!", *TAGS):
            self.fail(mark, f'tag "{event.tag}" is not for a cluster file', "take the tag out")
        tree = self.content(event, events, mark)
        if event.anchor:
            self.anchors[event.anchor] = tree
        return tree

    def content(self, event: yaml.Event, events: Iterator[yaml.Event], mark: Mark) -> Tree:
        if isinstance(event, yaml.ScalarEvent):
            if unfit := UNFIT.search(event.value):
                self.fail(mark, f"the text holds U+{ord(unfit.group()):04X}, written as an escape", "take it out")
            plain = event.style is None or event.style == ""
            return Scalar(event.value, mark, plain=plain and event.tag in (None, *(TAGS - {"tag:yaml.org,2002:str"})))
        if isinstance(event, yaml.SequenceStartEvent):
            return Items(tuple(self.items(events)), mark)
        return Table(self.entries(events), mark)

    def items(self, events: Iterator[yaml.Event]) -> Iterator[Tree]:
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            yield self.node(event, events)

    def entries(self, events: Iterator[yaml.Event]) -> dict[str, Entry]:
        entries: dict[str, Entry] = {}
        merged: dict[str, Entry] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            key = self.node(event, events)
            value = self.node(next(events), events)
            if not isinstance(key, Scalar):
                self.fail(key.mark, "a key must be text", "write KEY: VALUE")
            if key.text == "<<" and key.plain:
                merged = {**self.merge(value), **merged}
                continue
            if known := entries.get(key.text):
                self.note(key.mark, f'key "{key.text}" again', f"already at {known.key.line}:{known.key.column}")
            entries[key.text] = Entry(value, key.mark)
        return {**merged, **entries}

    def merge(self, value: Tree) -> dict[str, Entry]:
        match value:
            case Table():
                return value.entries
            case Items() if all(isinstance(item, Table) for item in value.values):
                tables = [item.entries for item in value.values if isinstance(item, Table)]
                return {key: entry for entries in reversed(tables) for key, entry in entries.items()}
        self.fail(value.mark, "only mappings can be merged by <<", "write <<: *NAME of a mapping")

    def note(self, mark: Mark, message: str, hint: str) -> None:
        self.problems.append(self.problem(mark, message, hint, warning=self.lenient))

    def fail(self, mark: Mark, message: str, hint: str) -> NoReturn:
        raise ConfigError(message, hint=hint, problems=[*self.problems, self.problem(mark, message, hint)])

    def problem(self, mark: Mark, message: str, hint: str, *, warning: bool = False) -> Problem:
        return Problem(
            where="",
            message=message,
            hint=hint,
            warning=warning,
            file=str(self.path),
            line=mark.line,
            column=mark.column,
            source=unread_source_line(self.lines, mark.line) if len(self.problems) < ENOUGH else "",
        )
