"""How a field of the schema says its spelling in the file, and what rkx makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, TypeAlias, get_args, get_origin

import msgspec

Text: TypeAlias = str | None
Flag: TypeAlias = bool | None
Number: TypeAlias = int | None
Texts: TypeAlias = tuple[str, ...] | None
TextMap: TypeAlias = Mapping[str, str] | None
Raw: TypeAlias = Any
RawMap: TypeAlias = Mapping[str, Any] | None
NO_KEYS: Mapping[str, Any] = MappingProxyType({})


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """What an annotation says of one key of a mapping, beyond the name of its field.

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
    table: Mapping[str, Any] = NO_KEYS


class Slot(msgspec.Struct, frozen=True, kw_only=True):
    """A field of a class, as the decoder needs it: its attribute, its type, its key."""

    attribute: str
    hint: Any
    key: Key
    required: bool


def has_keys(hint: object) -> bool:
    """Return whether a type stands for a mapping of which each key is a field."""
    return isinstance(hint, type) and issubclass(hint, msgspec.Struct)


_SLOTS: dict[type[Any], Mapping[str, Slot]] = {}


def slots(owner: type[Any]) -> Mapping[str, Slot]:
    """Map each spelling of each key to its field; worked out once per class."""
    if owner not in _SLOTS:
        _SLOTS[owner] = _slots(owner)
    return _SLOTS[owner]


def _slots(owner: type[Any]) -> Mapping[str, Slot]:
    found: dict[str, Slot] = {}
    for each in msgspec.structs.fields(owner):
        hint, key = get_args(each.type) if get_origin(each.type) is Annotated else (each.type, Key())
        slot = Slot(attribute=each.name, hint=hint, key=key, required=key.required or each.required)
        for spelling in (key.name or each.name, *key.also):
            found[spelling] = slot
    return found
