"""Describe cluster.yml as JSON Schema, for editors and the reference pages; made from the schema's classes."""

from __future__ import annotations

import collections.abc
import types
from typing import Any, Literal, Union, get_args, get_origin

from rkx.config.schema.marks import Slot, has_keys, slots
from rkx.config.schema.top import ClusterKeys
from rkx.config.tree import Plain
from rkx.secret import Secret

DIALECT = "https://json-schema.org/draft/2020-12/schema"
SCALARS: dict[Any, list[str]] = {
    str: ["string", "number", "boolean"],
    int: ["integer"],
    float: ["number"],
    bool: ["boolean"],
}
"""A text takes any scalar as it is written."""
SECRET: dict[str, Any] = {
    "oneOf": [
        {"type": "string"},
        *(
            {"type": "object", "properties": {name: value}, "required": [name], "additionalProperties": False}
            for name, value in (
                ("file", {"type": "string"}),
                ("env", {"type": "string"}),
                ("command", {"type": "array", "items": {"type": "string"}}),
            )
        ),
    ]
}


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of cluster.yml."""
    return {"$schema": DIALECT, "title": "cluster.yml", **schema_of(ClusterKeys)}


def schema_of(hint: Plain) -> dict[str, Any]:
    """Describe one type; a class becomes an object that takes its own keys alone."""
    origin: Plain = get_origin(hint)
    if origin in (Union, types.UnionType):
        inner = [schema_of(each) for each in get_args(hint) if each is not type(None)]
        return inner[0] if len(inner) == 1 else {"anyOf": inner}
    if origin is Literal:
        return {"enum": list(get_args(hint))}
    if origin is Secret:
        return SECRET
    if origin is tuple:
        return {"type": "array", "items": schema_of(get_args(hint)[0])}
    if origin is collections.abc.Mapping:
        return {"type": "object", "additionalProperties": schema_of(get_args(hint)[1])}
    if has_keys(hint):
        return _object(hint)
    return {"type": SCALARS[hint]} if hint in SCALARS else {}


def _object(owner: type[Any]) -> dict[str, Any]:
    named = slots(owner)
    found: dict[str, Any] = {
        "type": "object",
        "properties": {name: _described(slot) for name, slot in named.items()},
        # Other names under services are providers of their own.
        "additionalProperties": {"type": "object"} if owner.__name__ == "ServicesKeys" else False,
    }
    if needed := [name for name, slot in named.items() if slot.required and name == (slot.key.name or slot.attribute)]:
        found["required"] = needed
    return found


def _described(slot: Slot) -> dict[str, Any]:
    """Describe a key, with null allowed as everywhere in the file, and why it may have no effect."""
    inner = schema_of(slot.hint)
    if slot.key.table:
        properties = {name: schema_of(hint) for name, hint in slot.key.table.items()}
        inner = {"type": "object", "properties": properties, "additionalProperties": False}
    note = slot.key.refuse or slot.key.dead or ("rkx does not act on this yet" if slot.key.later else "")
    described = {"anyOf": [inner, {"type": "null"}]} if inner else {}
    return {**described, **({"description": note, "deprecated": True} if note else {})}
