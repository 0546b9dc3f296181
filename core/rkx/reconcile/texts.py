"""A value as JSON, in pieces: the text of an entry that did not change is kept from one time to the next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from rkx.secret import Secret


def encoded(value: object) -> str:
    """Return a value as JSON with sorted keys."""
    return msgspec.json.encode(value, enc_hook=_plain, order="sorted").decode()


class Texts:
    """Writes Structs as ``encoded`` does; entries of their mappings are frozen, so the same one has the same text.

    A run saves its state for each node, and it holds all of them: encoding it whole would take the square of that.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], tuple[object, str]] = {}

    def of(self, value: msgspec.Struct) -> str:
        """Return a value as JSON; what is no longer in it is forgotten."""
        former, self._kept = self._kept, {}
        fields = {name: getattr(value, name) for name in sorted(value.__struct_fields__)}
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
    return f"{{{','.join(f'{encoded(name)}:{text}' for name, text in members)}}}"


def _plain(value: object) -> dict[str, object]:
    if isinstance(value, Secret):
        inner = value.reveal()
        text = inner.decode("latin-1") if isinstance(inner, bytes) else inner
        return {"secret": text, "bytes": isinstance(inner, bytes)}
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(type(value).__name__)
