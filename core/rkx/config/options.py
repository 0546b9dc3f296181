"""The options of a provider: the part of cluster.yml's tree that it decodes, with every text and place in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType, NoneType
from typing import Any, get_args

from rkx.config.schema.marks import Slot, has_keys, slots
from rkx.config.tree import Entry, Items, Plain, Scalar, Table, Tree, as_table, is_empty, to_python


class Options(Mapping[str, Any]):
    """Options as plain values to those who only look; ``tree`` is what a Config is decoded from.

    ``where`` is the path in cluster.yml of the mapping that they are in. It is a class of its own kind: msgspec would
    write the fields of a dataclass where a state keeps the entries of a mapping.
    """

    def __init__(self, tree: Table, where: str) -> None:
        self.tree, self.where = tree, where

    def __getitem__(self, name: str) -> Plain:
        return to_python(self.tree.entries[name].value)

    def __iter__(self) -> Iterator[str]:
        return iter(self.tree.entries)

    def __len__(self) -> int:
        return len(self.tree.entries)

    def places(self) -> Mapping[str, str]:
        """Return the path in cluster.yml of each option."""
        return MappingProxyType({name: entry.path(self.where, name) for name, entry in self.tree.entries.items()})


def located(table: Table, where: str) -> dict[str, Entry]:
    """Return the entries of the mapping at ``where``, ready to be put into another one."""
    return {key: entry._replace(where=f"{where}.{key}") for key, entry in table.entries.items()}


def section(owner: type[Any], tree: Tree) -> Table:
    """Return what RKE's schema reads in a mapping: in today's spelling, without keys that are absent or have no effect.

    All that is left is known to RKE, so a provider may lack it.
    """
    table, found = as_table(tree), dict[str, Entry]()
    for key, entry in table.entries.items():
        slot = slots(owner).get(key)
        if slot is None or slot.key.dead or slot.key.refuse or is_empty(entry.value, zero=slot.key.zero):
            continue
        value = _field(slot, entry.value)
        if value != Table({}, value.mark):
            found[slot.key.name or slot.attribute] = Entry(value, entry.key, known=True)
    return Table(found, table.mark)


def rke_text(tree: Tree) -> Tree:
    """Return the value where RKE takes a text: it stays one, but may be quoted where a provider takes a number."""
    if not isinstance(tree, Scalar):
        return tree
    text = "" if tree.is_null else tree.text
    return Scalar(text, tree.mark, plain=not text, loose=True)


def _field(slot: Slot, tree: Tree) -> Tree:
    if not slot.key.table or not isinstance(tree, Table):
        return _cut(slot.hint, tree)
    entries = {key: entry for key, entry in tree.entries.items() if key in slot.key.table and not is_empty(entry.value)}
    return Table({key: _known(slot.key.table[key], entry) for key, entry in entries.items()}, tree.mark)


def _cut(hint: Plain, tree: Tree) -> Tree:
    """Cut a value down by the type that RKE's schema has for it."""
    required = [each for each in get_args(hint) if each is not NoneType] if NoneType in get_args(hint) else [hint]
    hint = required[0] if len(required) == 1 else Any
    if has_keys(hint):
        return section(hint, tree)
    match tree:
        case Items():
            return Items(tuple(_cut(_item(hint), each) for each in tree.values), tree.mark)
        case Table():
            return Table({key: _known(_item(hint), entry) for key, entry in tree.entries.items()}, tree.mark)
    return rke_text(tree) if hint is str else tree


def _known(hint: Plain, entry: Entry) -> Entry:
    return Entry(_cut(hint, entry.value), entry.key, known=True)


def _item(hint: Plain) -> Plain:
    """Return the type of a sequence's or mapping's values."""
    return next((each for each in reversed(get_args(hint)) if each is not Ellipsis), Any)
