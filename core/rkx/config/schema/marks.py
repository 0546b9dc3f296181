"""How a field of the schema says its spelling in the file, and what rkx makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from types import MappingProxyType
from typing import Any, TypeAlias, get_type_hints

Text: TypeAlias = str | None
Flag: TypeAlias = bool | None
Number: TypeAlias = int | None
Texts: TypeAlias = tuple[str, ...] | None
TextMap: TypeAlias = Mapping[str, str] | None
Raw: TypeAlias = Any
RawMap: TypeAlias = Mapping[str, Any] | None
NO_KEYS: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key of a mapping.

    ``dead`` says why it has no effect (a warning), ``refuse`` what to write instead (an error), ``later`` that rkx does
    not act on it yet (a warning). ``zero`` keeps a 0, which RKE else takes for absent. ``table`` lists the keys of a
    mapping that is data to rkx.
    """

    name: str = ""
    also: tuple[str, ...] = ()
    dead: str = ""
    refuse: str = ""
    later: bool = False
    zero: bool = False
    required: bool = False
    table: Mapping[str, Any] = field(default_factory=lambda: NO_KEYS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A field of a class, as the decoder needs it: its attribute, its type, its key."""

    attribute: str
    hint: Any
    key: Key
    required: bool


def mark(name: str = "", **marks: Raw) -> Raw:
    """Declare a field whose key needs more than its attribute's name; absent is None."""
    return field(default=None, metadata={"key": Key(name=name, **marks)})


_SLOTS: dict[type[Any], Mapping[str, Slot]] = {}


def slots(owner: type[Any]) -> Mapping[str, Slot]:
    """Map each spelling of each key to its field; worked out once per class."""
    if owner not in _SLOTS:
        _SLOTS[owner] = _slots(owner)
    return _SLOTS[owner]


def _slots(owner: type[Any]) -> Mapping[str, Slot]:
    hints = get_type_hints(owner)
    found: dict[str, Slot] = {}
    for each in fields(owner):
        if not each.init:
            continue
        mark: Key = each.metadata.get("key", Key())
        slot = Slot(attribute=each.name, hint=hints[each.name], key=mark, required=mark.required or _required(each))
        for spelling in (mark.name or each.name, *mark.also):
            found[spelling] = slot
    return found


def _required(each: Field[Any]) -> bool:
    return each.default is MISSING and each.default_factory is MISSING
