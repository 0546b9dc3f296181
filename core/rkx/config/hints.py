"""Types that values are decoded into, and values of types that are decoded whole."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Literal, get_args, get_origin

from rkx.config.scalars import found
from rkx.config.schema.marks import has_keys
from rkx.config.tree import Plain, Scalar, Tree


def of_items(item: Plain) -> str:
    """Say what a list holds, where its items are mappings."""
    return " of mappings" if has_keys(item) else ""


def choices(hint: Plain) -> list[Any]:
    """Return the Literals inside a type."""
    origin: Plain = get_origin(hint)
    if origin is Literal:
        return [hint]
    return [leaf for each in get_args(hint) for leaf in choices(each)]


def frozen(value: Plain) -> Plain:
    """Return plain data that cannot be changed."""
    if isinstance(value, dict):
        return MappingProxyType({key: frozen(each) for key, each in value.items()})
    return tuple(frozen(each) for each in value) if isinstance(value, list) else value


def constructed(hint: Plain, tree: Tree) -> Plain:
    """Make an object of a class that is called with one text, such as an address, a path, or an enum's value."""
    if not isinstance(hint, type):
        raise TypeError(f"{hint} is not a type that options can have")
    if isinstance(tree, Scalar):
        return hint(tree.text)
    raise ValueError(f"text expected, {found(tree)}")
