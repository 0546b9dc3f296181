"""Judge a state that a node gave: each field must have its type before it is used."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass
from typing import Any, Union, get_args, get_origin, get_type_hints

from rkx.secret import Secret


def check_shape(value: object, kind: Any, where: str = "state") -> None:  # noqa: ANN401 - an annotation
    """Compare a value with an annotation, all the way down; TypeError names the first that differs, not its value."""
    if get_origin(kind) in (Union, types.UnionType):
        kind = next((each for each in get_args(kind) if _fits(value, each)), get_args(kind)[0])
    if not _fits(value, kind):
        raise TypeError(f"{where}: {getattr(kind, '__name__', kind)} expected")
    for name, item, inner in _parts(value, kind):
        check_shape(item, inner, f"{where}{name}")


def _parts(value: Any, kind: Any) -> Iterator[tuple[str, object, Any]]:  # noqa: ANN401 - whatever JSON holds
    """Return what a value is made of, each with its annotation and how it is called."""
    inner = get_args(kind)
    if is_dataclass(kind):
        yield from ((f".{name}", getattr(value, name), hint) for name, hint in get_type_hints(kind).items())
    elif isinstance(value, tuple):
        yield from (("[]", item, inner[0]) for item in value)
    elif isinstance(value, Mapping) and inner:
        yield from (("", name, inner[0]) for name in value)
        yield from (("[]", item, inner[1]) for item in value.values())
    elif isinstance(value, Secret):
        yield "", value.reveal(), inner[0]


def _fits(value: object, kind: Any) -> bool:  # noqa: ANN401 - an annotation
    if kind is Any:
        return True
    plain = get_origin(kind) or kind
    return isinstance(value, plain) and not (plain is int and isinstance(value, bool))
