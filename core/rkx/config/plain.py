"""Turn decoded keys back into plain options for a provider, spelled as in RKE's file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from types import MappingProxyType
from typing import Any

from rkx.config.schema.marks import Key
from rkx.config.tree import Plain
from rkx.model.cluster import PluginRef, Stage


def plain(value: Plain, *, without: tuple[str, ...] = ()) -> Plain:
    """Give dicts, lists and scalars; absent keys and keys without effect are left out."""
    if is_dataclass(value) and not isinstance(value, type):
        found: dict[str, Any] = {}
        for each in fields(value):
            mark: Key = each.metadata.get("key", Key())
            inner = getattr(value, each.name)
            if inner is None or mark.dead or each.name in without:
                continue
            if (option := plain(inner)) != {}:
                found[mark.name or each.name] = option
        return found
    if isinstance(value, Mapping):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple):
        return [plain(inner) for inner in value]
    return value


def paths(options: Plain, prefix: str = "") -> Iterator[str]:
    """List the paths of all that stands in ``options``."""
    if isinstance(options, Mapping):
        for key, value in options.items():
            path = f"{prefix}.{key}" if prefix else str(key)
            yield path
            yield from paths(value, path)
    if isinstance(options, list | tuple):
        for index, value in enumerate(options):
            yield f"{prefix}[{index}]"
            yield from paths(value, f"{prefix}[{index}]")


def chosen(
    stage: Stage,
    name: str,
    where: str,
    options: Mapping[str, Any],
    places: Mapping[str, str],
    *,
    unknown: frozenset[str] = frozenset(),
) -> PluginRef:
    """Make the reference to a provider.

    ``places`` maps an option to its path in cluster.yml, or ``""`` to the mapping that all others stand in. Options in
    ``unknown`` are none of RKE's.
    """
    root = places.get("", "")
    mapped = {"": root} if root else {}
    for path in paths(options):
        head = _first(path)
        start = places.get(head) or (f"{root}.{head}" if root else head)
        mapped[path] = start + path[len(head) :]
    known = frozenset(path for path in mapped if path and _first(path) not in unknown)
    return PluginRef(
        stage=stage,
        name=name,
        where=where,
        options=MappingProxyType(dict(options)),
        options_where=MappingProxyType(mapped),
        known=known,
    )


def _first(path: str) -> str:
    return path.partition(".")[0].partition("[")[0]
