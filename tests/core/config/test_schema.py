"""RKE's whole schema: every key is known, and a misspelt one is found with its original."""

from __future__ import annotations

import collections.abc
import json
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, TypeAlias, Union, get_args, get_origin

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rkx.config import json_schema, load_text, show
from rkx.config.schema.aci import ACI
from rkx.config.schema.marks import has_keys, slots
from rkx.config.schema.network import OPTIONS
from rkx.config.schema.top import ClusterKeys
from rkx.errors import ConfigError
from rkx.secret import Secret

PATH = Path("cluster.yml")
Keys = tuple[str, ...]
Value: TypeAlias = Any


def tables(hint: Value, path: Keys = ()) -> Iterator[tuple[Keys, Keys]]:
    """List the path of every mapping with fixed keys, and these keys; ``[]`` stands for an item."""
    origin: Any = get_origin(hint)
    if origin in (Union, types.UnionType):
        for each in get_args(hint):
            yield from tables(each, path)
    elif origin is tuple:
        yield from tables(get_args(hint)[0], (*path, "[]"))
    elif has_keys(hint):
        named = slots(hint)
        yield path, tuple(named)
        for name, slot in named.items():
            if slot.key.table:
                yield (*path, name), tuple(slot.key.table)
            yield from tables(slot.hint, (*path, name))


# What is refused as a whole is not looked into.
TABLES = [(path, keys) for path, keys in tables(ClusterKeys) if path[-1:] != ("ecr_credential_plugin",)]


def sample(hint: Value) -> Value:
    """Return a value of a type."""
    origin: Any = get_origin(hint)
    if origin in (Union, types.UnionType):
        return sample(next(each for each in get_args(hint) if each is not type(None)))
    if origin is Literal:
        return get_args(hint)[0]
    if origin is tuple:
        return [sample(get_args(hint)[0])]
    if origin is collections.abc.Mapping:
        return {"a": sample(get_args(hint)[1])}
    if has_keys(hint):
        return {name: table(slot.key.table) or sample(slot.hint) for name, slot in slots(hint).items()}
    return {str: "a", int: 3, bool: True, float: 1.5}.get(hint, "hidden" if origin is Secret else {"any": 1})


def table(keys: Value) -> dict[str, Any]:
    return {name: sample(hint) for name, hint in keys.items()}


def wrapped(path: Keys, value: Value) -> Value:
    """Put a value at a path."""
    if not path:
        return value
    return [wrapped(path[1:], value)] if path[0] == "[]" else {path[0]: wrapped(path[1:], value)}


def unknown_keys(text: str) -> list[str]:
    """Load a file and show what is said of unknown keys."""
    try:
        load_text(text, PATH)
    except ConfigError as error:
        return [show([each]) for each in error.problems if each.message.startswith("unknown key")]
    return []


def test_every_key_of_the_schema_is_known() -> None:
    assert unknown_keys(json.dumps(sample(ClusterKeys))) == []


def test_the_schema_has_the_size_of_rkes() -> None:
    assert len(ACI) == 118
    assert len(OPTIONS["aci"]) == 125
    assert sum(len(keys) for _, keys in TABLES) > 580


@pytest.mark.whole
@settings(max_examples=400, deadline=None)
@given(st.data())
def test_a_key_misspelt_by_one_edit_is_one_error_that_names_the_original(data: st.DataObject) -> None:
    path, keys = data.draw(st.sampled_from(TABLES))
    key = data.draw(st.sampled_from([key for key in keys if len(key) > 2]))
    index = data.draw(st.integers(0, len(key) - 1))
    letter = data.draw(st.sampled_from("qxzj"))
    edits = [
        key[:index] + key[index + 1 :],
        key[:index] + letter + key[index:],
        key[:index] + letter + key[index + 1 :],
    ]
    written = data.draw(st.sampled_from(edits))
    if written in keys or (path == ("services",) and written in slots(ClusterKeys)):
        return
    found = unknown_keys(json.dumps(wrapped(path, {written: "value"})))
    assert len(found) == 1, found
    assert f'unknown key "{written}"' in found[0]
    assert f'"{key}"' in found[0].partition("did you mean")[2], found


def test_the_json_schema_takes_the_sample_and_forbids_other_keys(golden: Callable[[str, str], None]) -> None:
    schema = json_schema()
    assert schema["additionalProperties"] is False
    assert set(schema["properties"]) == set(slots(ClusterKeys))
    node = schema["properties"]["nodes"]["anyOf"][0]["items"]
    assert node["required"] == ["address", "role"]
    assert node["properties"]["role"]["anyOf"][0]["items"] == {"enum": ["controlplane", "etcd", "worker"]}
    golden("schema.json", f"{json.dumps(schema, indent=1)}\n")


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_bytes_give_a_cluster_or_the_configuration_error(content: bytes) -> None:
    with pytest.raises(ConfigError):
        load_text(content, PATH)


ALPHABET = st.sampled_from([*"nodes: -[]{},&*a!|>'\"#\n\t%@`?0.", "\n  - ", "address: ", "<<: ", "\u2028", "\x85", "é"])


@pytest.mark.whole
@settings(max_examples=300, deadline=None)
@given(st.lists(ALPHABET, max_size=80).map("".join))
def test_text_like_yaml_gives_the_configuration_error_with_places_in_the_file(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_text(text, PATH)
    assert all(
        1 <= problem.line <= text.count("\n") + text.count("\u2028") + text.count("\x85") + 1
        for problem in caught.value.problems
    )
    assert [problem.message for problem in caught.value.problems if not problem.hint] == []
