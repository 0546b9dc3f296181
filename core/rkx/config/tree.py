"""YAML as it was written: scalars keep their source text, and everything keeps its place."""

from __future__ import annotations

import collections.abc
import re
from typing import Any, NamedTuple, TypeAlias

NULLS = frozenset({"", "~", "null", "Null", "NULL"})
TRUE = frozenset({"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON", "y", "Y"})
FALSE = frozenset({"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF", "n", "N"})
INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})\Z")
REAL = re.compile(r"[-+]?(?:[0-9]{1,17}\.[0-9]*|\.[0-9]+|[0-9]{1,17})(?:[eE][-+]?[0-9]{1,3})?\Z")


class Mark(NamedTuple):
    """A place in the file, from 1; 0 is unknown."""

    line: int = 0
    column: int = 0


class Scalar(NamedTuple):
    """A text, number, truth value or null; only a plain one may be other than text.

    A ``loose`` one is a text, but whoever wants a number or a truth value takes it for that: RKE does so with the texts
    of its maps, quoted or not.
    """

    text: str
    mark: Mark = Mark()
    plain: bool = False
    loose: bool = False

    @property
    def is_null(self) -> bool:
        """Return whether nothing was written, or null."""
        return self.plain and self.text in NULLS

    @property
    def is_bare(self) -> bool:
        """Return whether it may be read as other than text."""
        return self.plain or self.loose


class Items(NamedTuple):
    """A sequence."""

    values: tuple[Tree, ...]
    mark: Mark = Mark()


class Entry(NamedTuple):
    """A value of a mapping, and the place of its key.

    ``where`` is its path in the file if it was moved out of its mapping there; RKE's schema has what is ``known``.
    """

    value: Tree
    key: Mark = Mark()
    where: str = ""
    known: bool = False

    def path(self, outer: str, key: str) -> str:
        """Return its path in the file, inside the mapping at ``outer``."""
        return self.where or (f"{outer}.{key}" if outer else key)


class Table(NamedTuple):
    """A mapping from text to anything."""

    entries: dict[str, Entry]
    mark: Mark = Mark()

    def without(self, *names: str) -> Table:
        """Return the same mapping without some keys."""
        return Table({key: entry for key, entry in self.entries.items() if key not in names}, self.mark)


class Ready(NamedTuple):
    """A Python value that needs no decoding, such as a secret already fetched."""

    value: Any
    mark: Mark = Mark()


Plain: TypeAlias = Any
Tree: TypeAlias = Scalar | Items | Table | Ready
KINDS: dict[type[object], str] = {Scalar: "text", Items: "list", Table: "mapping", Ready: "value"}


def is_empty(tree: Tree, *, zero: bool = False) -> bool:
    """Return whether RKE reads this as absent: null, empty text, ``0`` unless ``zero`` counts, empty mappings."""
    match tree:
        case Scalar():
            return not tree.text or tree.is_null or (tree.plain and tree.text == "0" and not zero)
        case Items():
            return not tree.values
        case Table():
            return not tree.entries
        case Ready():
            return tree.value is None


def says_nothing(tree: Tree) -> bool:
    """Return whether a key without effect may stay unmentioned: empty or false all the way down."""
    match tree:
        case Scalar():
            return is_empty(tree) or (tree.plain and tree.text in FALSE)
        case Items():
            return all(says_nothing(value) for value in tree.values)
        case Table():
            return all(says_nothing(entry.value) for entry in tree.entries.values())
        case Ready():
            return is_empty(tree)


def as_table(tree: Tree | None) -> Table:
    """Return a mapping as it is, an empty one for all else."""
    return tree if isinstance(tree, Table) else Table({})


def from_python(value: Plain) -> Tree:
    """Make the tree of plain Python values, which have no place."""
    match value:
        case collections.abc.Mapping():
            return Table({str(key): Entry(from_python(each)) for key, each in value.items()})
        case list() | tuple():
            return Items(tuple(from_python(each) for each in value))
        case None:
            return Scalar("null", plain=True)
        case bool() | int() | float():
            return Scalar(str(value).lower(), plain=True)
        case str():
            return Scalar(value)
    return Ready(value)


def to_python(tree: Tree) -> Plain:
    """Return plain Python values by YAML 1.2's core schema: yes and on stay text, 022 too."""
    match tree:
        case Scalar():
            return scalar_to_python(tree)
        case Items():
            return [to_python(value) for value in tree.values]
        case Table():
            return {key: to_python(entry.value) for key, entry in tree.entries.items()}
        case Ready():
            return tree.value


def scalar_to_python(scalar: Scalar) -> str | int | float | bool | None:
    """Return a scalar's value by YAML 1.2's core schema."""
    if scalar.loose or not scalar.plain:
        return scalar.text
    if scalar.is_null:
        return None
    if scalar.text.lower() in ("true", "false"):
        return scalar.text.lower() == "true"
    if INTEGER.match(scalar.text):
        return int(scalar.text)
    return float(scalar.text) if REAL.match(scalar.text) and not scalar.text.isdigit() else scalar.text
