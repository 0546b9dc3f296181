"""Decode a tree into typed values: one pass, every mistake noted with its place."""

from __future__ import annotations

import collections.abc
import types
from collections.abc import Collection
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, Union, get_args, get_origin

from rkx.config.hints import choices, constructed, frozen, of_items
from rkx.config.names import FORMER, nearest, suggestion
from rkx.config.noted import FAILED, Noted
from rkx.config.scalars import ADVICE, SCALARS, found, shortened
from rkx.config.schema.marks import Slot, has_keys, slots
from rkx.config.secrets import WAYS, secret
from rkx.config.tree import Entry, Items, Plain, Ready, Scalar, Table, Tree, is_empty, says_nothing, to_python
from rkx.secret import Secret

MAPPINGS = (collections.abc.Mapping, dict)
SEQUENCES = (tuple, list, collections.abc.Sequence, frozenset)
ENOUGH = 200
"""So many problems get a suggestion; more than are shown, and no file can make the search for names slow."""


class Decoder(Noted):
    """Notes problems and places of secrets while it decodes.

    With ``as_rke`` empty values are absent, as RKE reads its file. ``lenient`` makes unknown keys warnings. Without
    ``secrets`` those that the file only points at stay unread.
    """

    def __init__(self, *, folder: Path, as_rke: bool = False, lenient: bool = False, secrets: bool = True) -> None:
        self.folder, self.as_rke, self.lenient = folder, as_rke, lenient
        super().__init__()
        self._reads_secrets = secrets

    def value(self, hint: Plain, tree: Tree, where: str) -> Plain:
        """Decode ``tree`` as the type ``hint``; FAILED when it cannot be."""
        origin: Plain = get_origin(hint)
        if origin in (Union, types.UnionType):
            return self.union(get_args(hint), tree, where)
        if hint is Any or hint is object:
            return frozen(to_python(tree))
        if origin is Literal:
            return self.choice(get_args(hint), tree, where)
        if origin is Secret or hint is Secret:
            return self.secret(tree, where)
        if origin in SEQUENCES or hint in SEQUENCES:
            return self.items(origin or hint, get_args(hint), tree, where)
        if origin in MAPPINGS or hint in MAPPINGS:
            return self.mapping(get_args(hint), tree, where)
        if has_keys(hint):
            return self.instance(hint, tree, where)
        return self.scalar(hint, tree, where)

    def union(self, hints: tuple[Any, ...], tree: Tree, where: str) -> Plain:
        """Take the first type that fits; None for null."""
        if type(None) in hints and ((isinstance(tree, Scalar) and tree.is_null) or tree == Ready(None, tree.mark)):
            return None
        rest = [hint for hint in hints if hint is not type(None)]
        for hint in sorted(rest, key=lambda each: each is str)[:-1]:
            if has_keys(hint) and isinstance(tree, Table):
                return self.value(hint, tree, where)  # no other type takes a mapping: its mistakes are worth telling
            attempt = self.again()
            if (value := attempt.value(hint, tree, where)) is not FAILED and not attempt.problems:
                return value
        return self.value(sorted(rest, key=lambda each: each is str)[-1], tree, where)

    def again(self) -> Decoder:
        """Return one that decodes alike and has found nothing yet."""
        return Decoder(folder=self.folder, as_rke=self.as_rke, lenient=self.lenient, secrets=self._reads_secrets)

    def choice(self, allowed: tuple[Any, ...], tree: Tree, where: str) -> Plain:
        """Take one of a few texts."""
        for each in allowed:
            if isinstance(tree, Scalar) and tree.text == str(each):
                return each
        name = where.rpartition(".")[2].partition("[")[0].replace("_", " ")
        names = [str(each) for each in allowed]
        if not isinstance(tree, Scalar):
            return self.fail(tree.mark, where, f"text expected, {found(tree)}", f"Allowed: {', '.join(names)}")
        close = suggestion(tree.text, names) + " " if nearest(tree.text, names) else ""
        message = f'unknown {name} "{shortened(tree.text)}"'
        return self.fail(tree.mark, where, message, f"{close}Allowed: {', '.join(names)}")

    def secret(self, tree: Tree, where: str) -> Plain:
        """Take a secret as text, or fetch it from where the file points."""
        self.hide(tree)
        if isinstance(tree, Ready):
            return tree.value if isinstance(tree.value, Secret) else Secret(str(tree.value))
        try:
            return secret(tree, self.folder, reads=self._reads_secrets)
        except ValueError as error:
            return self.fail(tree.mark, where, str(error), WAYS)

    def items(self, kind: Plain, hints: tuple[Any, ...], tree: Tree, where: str) -> Plain:
        """Decode a sequence, into a tuple or frozenset."""
        item = hints[0] if hints else Any
        if not isinstance(tree, Items):
            if isinstance(tree, Scalar) and tree.is_null:
                return ()
            hint = f"write [{shortened(tree.text)}]" if isinstance(tree, Scalar) else f"each item begins with {'- '!r}"
            return self.fail(tree.mark, where, f"list{of_items(item)} expected, {found(tree)}", hint)
        values = [
            self.value(item, each, f"{where}[{index}]")
            for index, each in enumerate(tree.values)
            if self.errors < ENOUGH
        ]
        kept = [value for value in values if value is not FAILED]
        return frozenset(kept) if kind is frozenset else tuple(kept)

    def mapping(self, hints: tuple[Any, ...], tree: Tree, where: str) -> Plain:
        """Decode a mapping whose keys are free."""
        item = hints[1] if hints else Any
        if isinstance(tree, Scalar) and tree.is_null:
            return MappingProxyType({})
        if not isinstance(tree, Table):
            return self.fail(tree.mark, where, f"mapping expected, {found(tree)}", "write KEY: VALUE")
        values = {key: self.value(item, entry.value, f"{where}.{key}") for key, entry in tree.entries.items()}
        return MappingProxyType({key: value for key, value in values.items() if value is not FAILED})

    def scalar(self, hint: Plain, tree: Tree, where: str) -> Plain:
        """Decode text, number or truth value; classes of other kinds are constructed from the text."""
        if isinstance(tree, Ready) and isinstance(hint, type) and isinstance(tree.value, hint):
            return tree.value
        decode = SCALARS.get(hint)
        try:
            return decode(tree) if decode else constructed(hint, tree)
        except ValueError as error:
            return self.fail(tree.mark, where, str(error), ADVICE.get(hint, "write another value"))

    def instance(self, owner: type[Any], tree: Tree, where: str) -> Plain:
        """Decode a mapping into a Struct; FAILED only when it cannot be made."""
        if isinstance(tree, Scalar) and tree.is_null:
            tree = Table({}, tree.mark)
        if isinstance(tree, Ready) and isinstance(tree.value, owner):
            return tree.value
        if not isinstance(tree, Table):
            keys = ", ".join(list(slots(owner))[:6])
            return self.fail(tree.mark, where, f"mapping expected, {found(tree)}", f"keys: {keys}")
        before = len(self.problems)
        values: dict[str, Any] = {}
        unknown = [self.entry(owner, key, entry, where, values) for key, entry in tree.entries.items()]
        self.missing(owner, tree, where, values, {name for names in unknown for name in names})
        if not self.as_rke and any(not problem.warning for problem in self.problems[before:]):
            return FAILED
        try:
            return owner(**{name: value for name, value in values.items() if value is not FAILED})
        except ValueError as error:
            return self.fail(tree.mark, where, str(error), "write another value")

    def entry(self, owner: type[Any], key: str, entry: Entry, where: str, values: dict[str, Any]) -> tuple[str, ...]:
        """Decode one key into ``values``; for an unknown one give the names it may have meant."""
        path = entry.path(where, key)
        slot = self.slot(owner, key)
        if slot is None:
            return self.unknown(path, key, entry, slots(owner))
        if (isinstance(entry.value, Scalar) and entry.value.is_null) or not self.live(slot, entry, path):
            return ()
        value = self.checked(slot, entry.value, path)
        if value is not FAILED or slot.attribute not in values:
            values[slot.attribute] = value
        return ()

    def slot(self, owner: type[Any], key: str) -> Slot | None:
        """Find the field that a key is for; a provider's fields take dashes for underscores."""
        named = slots(owner)
        return named.get(key) or (None if self.as_rke else named.get(key.replace("-", "_")))

    def live(self, slot: Slot, entry: Entry, where: str) -> bool:
        """Return whether a key of RKE's is to be decoded: not when empty or refused. What has no effect is noted."""
        if not self.as_rke:
            return True
        tree, key = entry.value, slot.key
        zero = key.zero and isinstance(tree, Scalar) and tree.text == "0"
        if is_empty(tree) and not zero:
            return False
        if says_nothing(tree) and not zero and (key.dead or key.refuse or key.later):
            return False
        if key.refuse:
            if any(get_origin(each) is Secret for each in get_args(slot.hint)):
                self.hide(tree)
            self.note(entry.key, where, "not supported", key.refuse)
            return False
        if key.dead:
            self.note(entry.key, where, f"no effect: {key.dead}", "take it out", warning=True)
        if key.later:
            self.note(
                entry.key, where, "rkx does not act on this yet", "take it out, or expect no effect", warning=True
            )
        return True

    def checked(self, slot: Slot, tree: Tree, where: str) -> Plain:
        """Decode a field's value; a table of keys holds for mappings that are data."""
        if not slot.key.table or not isinstance(tree, Table):
            return self.value(slot.hint, tree, where)
        values = {}
        for key, entry in tree.entries.items():
            if key not in slot.key.table:
                self.unknown(f"{where}.{key}", key, entry, slot.key.table)
            elif not is_empty(entry.value):
                values[key] = self.value(slot.key.table[key], entry.value, f"{where}.{key}")
        return MappingProxyType({key: value for key, value in values.items() if value is not FAILED})

    def unknown(self, where: str, key: str, entry: Entry, named: Collection[str]) -> tuple[str, ...]:
        """Note an unknown key; the names it may have meant are not missed then."""
        if entry.known:
            self.note(entry.key, where, "rkx does not act on this yet", "expect no effect", warning=True)
            return ()
        if len(self.problems) >= ENOUGH:
            self.note(entry.key, where, f'unknown key "{shortened(key)}"', warning=self.lenient)
            return ()
        former = FORMER.get(key, "")
        hint = f'it is called "{former}" now' if former in named else suggestion(key, named)
        self.note(entry.key, where, f'unknown key "{shortened(key)}"', hint, warning=self.lenient)
        return (*nearest(key, named), former)

    def missing(self, owner: type[Any], tree: Table, where: str, values: dict[str, Any], meant: set[str]) -> None:
        """Note the required keys that are absent, unless a misspelt one was meant for them."""
        for name, slot in slots(owner).items():
            if slot.required and slot.attribute not in values and name not in meant:
                allowed = [str(each) for hint in choices(slot.hint) for each in get_args(hint)]
                note = f"Allowed: {', '.join(allowed)}" if allowed else f"write {name}: VALUE"
                self.note(tree.mark, f"{where}.{name}" if where else name, "required key is missing", note)
