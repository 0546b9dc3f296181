"""A value as JSON, in pieces: the text of an entry that did not change is kept from one time to the next."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from rkx.secret import Secret


def encoded(value: object) -> str:
    """Return a value as JSON with sorted keys."""
    return json.dumps(_plain(value), sort_keys=True)


class Texts:
    """Writes dataclasses as ``encoded`` does; entries of their mappings are frozen, so the same one has the same text.

    A run saves its state for each node, and it holds all of them: encoding it whole would take the square of that.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], tuple[object, str]] = {}

    def of(self, value: object) -> str:
        """Return a dataclass as JSON; what is no longer in it is forgotten."""
        former, self._kept = self._kept, {}
        fields = {name: getattr(value, name) for name in sorted(value.__dataclass_fields__)}  # type: ignore[attr-defined] # a dataclass
        return _object(
            (name, _object(self._entries(name, each, former)) if isinstance(each, Mapping) else encoded(each))
            for name, each in fields.items()
        )

    def _entries(
        self, field: str, entries: Mapping[str, object], former: Mapping[tuple[str, str], tuple[object, str]]
    ) -> Iterator[tuple[str, str]]:
        for name in sorted(entries):
            entry, place = entries[name], (field, name)
            was, text = former.get(place, (None, ""))
            self._kept[place] = (entry, text if was is entry and text else encoded(entry))
            yield name, self._kept[place][1]


def _object(members: Iterator[tuple[str, str]]) -> str:
    return f"{{{', '.join(f'{json.dumps(name)}: {text}' for name, text in members)}}}"


def _plain(value: object) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, Secret):
        inner = value.reveal()
        return {
            "secret": inner.decode("latin-1") if isinstance(inner, bytes) else inner,
            "bytes": isinstance(inner, bytes),
        }
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list | frozenset | set):
        return [_plain(item) for item in value]
    if hasattr(value, "__dataclass_fields__"):
        return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}
    return value
