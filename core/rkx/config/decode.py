"""Decode a provider's options into its own Config."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, TypeVar, cast

from rkx.config.decoder import FAILED, Decoder
from rkx.config.document import Document
from rkx.config.tree import Entry, Items, Mark, Plain, Ready, Scalar, Table, Tree
from rkx.errors import Problem
from rkx.model.cluster import EMPTY

C = TypeVar("C")


def decode(
    config_class: type[C],
    options: Mapping[str, Any],
    *,
    where: str,
    document: Document | None,
    places: Mapping[str, str] = EMPTY,
    known: Collection[str] = (),
    secrets: bool = True,
) -> tuple[C | None, list[Problem]]:
    """Give the config, or None, with all problems in their places.

    ``where`` is the options' path in cluster.yml; ``places`` (a PluginRef's ``options_where``) wins over it. ``known``
    (a PluginRef's) are options of RKE's: one that the config lacks is a warning. Dashes in keys stand for underscores.
    Text fields take a scalar's source text. Without ``secrets`` those
    that the options point at stay unread. A default may be any value; types beyond plain ones are pydantic's.
    """
    graft = _Graft(where, document, places, known)
    decoder = Decoder(folder=document.path.parent if document else Path(), known=known, secrets=secrets)
    value = decoder.value(config_class, graft.tree(dict(options), ""), "")
    graft.document = document.hide(decoder.secrets) if document else None
    problems = [graft.placed(problem) for problem in decoder.problems]
    failed = value is FAILED or any(not problem.warning for problem in problems)
    # The decoder has checked each field against config_class.
    return (None if failed else cast("C", value)), problems


class _Graft:
    """Puts plain options back on the places and source texts that they came from."""

    def __init__(
        self, where: str, document: Document | None, places: Mapping[str, str], known: Collection[str]
    ) -> None:
        self.where, self.document, self.places, self.known = where, document, places, known

    def path(self, option: str) -> str:
        """Give the path in cluster.yml of an option, by its longest beginning that has one."""
        for head in _beginnings(option):
            if head in self.places:
                return self.places[head] + option[len(head) :]
        return ".".join(part for part in (self.places.get("", self.where), option) if part)

    def placed(self, problem: Problem) -> Problem:
        """Give the problem with its path and place in cluster.yml."""
        moved = Problem(
            where=self.path(problem.where),
            message=problem.message,
            hint=problem.hint,
            warning=problem.warning,
            line=problem.line,
            column=problem.column,
        )
        return self.document.place(moved) if self.document else moved

    def tree(self, value: Plain, option: str) -> Tree:
        """Make the tree of a value, with marks from the document."""
        path = self.path(option)
        mark = self.mark(path)
        if isinstance(value, Mapping):
            entries = {str(key): self.entry(each, option, str(key)) for key, each in value.items()}
            return Table(entries, mark)
        if isinstance(value, list | tuple):
            return Items(tuple(self.tree(each, f"{option}[{index}]") for index, each in enumerate(value)), mark)
        if isinstance(value, str | int | float | bool | None):
            return self.scalar(value, option, path, mark)
        return Ready(value, mark)

    def entry(self, value: Plain, option: str, key: str) -> Entry:
        inner = f"{option}.{key}" if option else key
        return Entry(self.tree(value, inner), self.key_mark(self.path(inner)))

    def scalar(self, value: Plain, option: str, path: str, mark: Mark) -> Scalar:
        written = self.document.find(path) if self.document else None
        # RKE takes a quoted number in its maps of texts for the same as a plain one; and what is no text any more was
        # read as something else before, such as a quoted port.
        plain = option in self.known or not isinstance(value, str)
        if isinstance(written, Scalar) and not written.is_null:
            return Scalar(written.text, mark, plain=written.plain or plain)
        return Scalar(_spelled(value), mark, plain=plain)

    def mark(self, path: str) -> Mark:
        place = self.document.locate(path) if self.document and path else None
        return Mark(place.line, place.column) if place else Mark()

    def key_mark(self, path: str) -> Mark:
        return self.document.key_mark(path) if self.document else Mark()


def _spelled(value: str | float | bool | None) -> str:
    """Spell a value as YAML does; True and False before numbers, which they equal."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _beginnings(option: str) -> list[str]:
    ends = [index for index, letter in enumerate(option) if letter in ".["]
    return [option, *(option[:end] for end in reversed(ends))]
