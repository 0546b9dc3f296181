"""Read what a node said: what is missing there, or of another kind, is one error that names the node."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from http.client import responses
from typing import Any, TypeVar

import msgspec

from rkx.errors import BadAnswer
from rkx.lines import WORDS, cut

T = TypeVar("T")
SHORT = 256
REFUSAL = 300
"""Of an error that is not the JSON of an Engine or API server: the page of what answers in its place."""
ARGUMENTS = 1 << 17
"""As much as Linux takes in one argument (MAX_ARG_STRLEN); those of a Kubernetes program are 8 KiB together."""
ROWS = 20_000
"""Of one list: four times the 5000 pods of a large cluster; a node has thousands of images and containers at most."""
BRACKETS = 3_000_000
"""Of lists and mappings in one answer, counted before it is read, in 0.1 s. 5000 pods have 300 each, 1.5 million.

So many mappings of one field become 560 MiB, where 32 MiB of empty ones were 11 million; with as many of the shortest
texts beside them as have room, an answer takes 1 GiB while it is read.
"""


def words(content: bytes) -> str:
    """Return the beginning of an answer as text, without guessing its encoding."""
    return content[:WORDS].decode(errors="replace").strip()


def refusal(content: bytes, status: int) -> str:
    """Return what an answer that is an error says of itself, as Engines and API servers do; its status without."""
    with suppress(BadAnswer):
        if said := parsed(content, "", "").words("message"):
            return said
    return words(content)[:REFUSAL] or responses.get(status, str(status))


def last_words(content: bytes, size: int) -> str:
    """Return the end of an answer as text."""
    return content[-size:].decode(errors="replace").strip()


def refuse_many(content: bytes, node: str, asked: str) -> None:
    """Raise BadAnswer for JSON of more than ``BRACKETS``."""
    if content.count(b"{") + content.count(b"[") > BRACKETS:
        raise BadAnswer(f"{node}: {asked}: the answer holds more than {BRACKETS} lists and mappings", node=node)


def parsed(content: bytes, node: str, asked: str) -> Said:
    """Read JSON; BadAnswer for what is none, or holds more than ``BRACKETS``."""
    refuse_many(content, node, asked)
    try:
        return Said(json.loads(content), node, asked)
    except (ValueError, RecursionError, MemoryError) as error:
        why = str(error)[:200] if isinstance(error, ValueError) else "nested too deep, or too much"
        raise BadAnswer(f"{node}: {asked}: the answer is not valid JSON: {why}", node=node) from error


def of_api(value: object, what: str) -> Said:
    """Read an object, or a list of them, that an API server gave."""
    return Said(value, "the API server", what)


class _Inside(msgspec.Struct):
    """Where a value is; the words are made for errors alone, as there may be thousands of values."""

    above: str | _Inside
    name: str

    def __str__(self) -> str:
        return f"{self.above}: {self.name}"


class Said:
    """A value that a node said, and in answer to what; each method reads one field of it, or raises BadAnswer."""

    __slots__ = ("_asked", "_node", "value")

    def __init__(self, value: Any, node: str, asked: str | _Inside) -> None:  # noqa: ANN401 - JSON
        self.value, self._node, self._asked = value, node, asked

    def _bad(self, name: str, wanted: str) -> BadAnswer:
        place = name[:SHORT] or "it"
        return BadAnswer(
            f"{self._node}: {str(self._asked)[:300]}: the answer has no {wanted} where {place} is expected",
            node=self._node,
            hint="look at what answers there; --allow-unreachable NODE leaves a node aside",
        )

    def _field(self, name: str, kind: type[T], default: T | None) -> T:
        if not isinstance(self.value, dict):
            raise self._bad(name, "mapping")
        found = self.value.get(name)
        if found is None and default is not None:
            return default
        if not isinstance(found, kind) or (isinstance(found, bool) and kind is not bool):
            raise self._bad(name, kind.__name__)
        return found

    def _sub(self, value: object, name: str) -> Said:
        return Said(value, self._node, _Inside(self._asked, name))

    def _list(self, name: str) -> list[Any]:
        found = self._field(name, list, []) if name else self.value
        if not isinstance(found, list) or len(found) > ROWS:
            raise self._bad(name, f"list of at most {ROWS}")
        return found

    def text(self, name: str, default: str | None = None) -> str:
        """Return a text; BadAnswer if it is missing, or cannot be written as UTF-8."""
        found = self._field(name, str, default)
        if not found.isascii() and any("\ud800" <= letter <= "\udfff" for letter in found):
            raise self._bad(name, "text")
        return found

    def words(self, name: str, default: str | None = None) -> str:
        """Return a text for people to read, cut to a readable length."""
        return cut(self.text(name, default))

    def line(self, name: str, default: str | None = None, *, most: int = SHORT) -> str:
        """Return a line; BadAnswer if it has more than ``most`` characters, or one that is not printable."""
        found = self.text(name, default)
        if len(found) > most or not found.isprintable():
            raise self._bad(name, f"line of at most {most} printable letters")
        return found

    def read(self, name: str, kind: str, form: Callable[[str], T], default: str | None = None) -> T:
        """Return what ``form`` makes of a line; its ValueError, where that is not a ``kind``, is BadAnswer."""
        return self.valid(self.line(name, default, most=WORDS), kind, form, name)

    def valid(self, text: str, kind: str, form: Callable[[str], T], name: str = "") -> T:
        """Return what ``form`` makes of a text, such as a key of a mapping; BadAnswer where it raises ValueError."""
        try:
            return form(text)
        except ValueError:
            raise self._bad(name, kind) from None

    def refuse_beyond(self, size: int) -> None:
        """Raise BadAnswer if the whole of it is more than so many bytes of JSON: it is going to be kept."""
        if len(json.dumps(self.value)) > size:
            raise self._bad("", f"at most {size >> 10} KiB")

    def choice(self, name: str, *allowed: T) -> T:
        """Return one of the ``allowed`` values; BadAnswer for any other."""
        found = self._field(name, object, None)
        for each in allowed:
            if found == each:
                return each
        raise self._bad(name, " or ".join(map(str, allowed)))

    def number(self, name: str, default: int | None = None) -> int:
        """Return a whole number."""
        return self._field(name, int, default)

    def count(self, name: str, most: int, default: int | None = None) -> int:
        """Return a whole number; BadAnswer unless it is from 0 to ``most``."""
        if not 0 <= (found := self.number(name, default)) <= most:
            raise self._bad(name, f"number from 0 to {most}")
        return found

    def flag(self, name: str) -> bool:
        """Return a truth value; false where there is none."""
        return self._field(name, bool, False)

    def table(self, name: str) -> Said:
        """Return an inner mapping; an empty one where there is none."""
        return self._sub(self._field(name, dict, {}), name)

    def moment(self, name: str) -> datetime | None:
        """Return a time (UTC without an offset), None where there is none; BadAnswer if it is not a time."""
        if not (text := self.text(name, "")):
            return None
        try:
            found = datetime.fromisoformat(text)
            found = found if found.tzinfo else found.replace(tzinfo=UTC)
            found.astimezone(UTC)
        except (ValueError, OverflowError):
            raise self._bad(name, "time") from None
        return found

    def rows(self, name: str = "") -> list[Said]:
        """Return the mappings of a list, which is the answer itself without a name; BadAnswer for other items."""
        found = self._list(name)
        if not all(isinstance(each, dict) for each in found):
            raise self._bad(name, "list of mappings")
        return [self._sub(each, f"{name}[{index}]") for index, each in enumerate(found)]

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts; an empty one where there is none."""
        return self.each(name, Said.text)

    def each(self, name: str, read: Callable[[Said, str], T]) -> tuple[T, ...]:
        """Return what ``read`` finds at each index of a list; nothing where there is none."""
        listed = {str(index): each for index, each in enumerate(self._list(name))}
        inner = self._sub(listed, name)
        return tuple(read(inner, index) for index in listed)

    def arguments(self, name: str) -> tuple[str, ...]:
        """Return the arguments of a program; BadAnswer if they have more than ``ARGUMENTS`` characters together."""
        found = self.texts(name)
        if sum(map(len, found)) > ARGUMENTS:
            raise self._bad(name, f"list of at most {ARGUMENTS >> 10} KiB")
        return found

    def labels(self, name: str) -> dict[str, str]:
        """Return a mapping of texts; an empty one where there is none."""
        inner = self.table(name)
        return {key: inner.text(key) for key in inner.value}
