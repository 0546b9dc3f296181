"""Manifests as values: what is too much is refused before it is made."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rkx.documents import DEPTH, REPEATS, YamlFault, yaml_documents


def laughs(levels: int, times: int = 10) -> str:
    """Return a text whose every line repeats the one before."""
    lines = ["a0: &a0 [x]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * times)}]" for n in range(1, levels + 1))]
    return "\n".join(["kind: Sample", *lines])


def values(text: str) -> list[object]:
    return [document.value for document in yaml_documents(text)]


def test_aliases_repeat_a_limited_number_of_values_in_little_time() -> None:
    began = time.monotonic()
    with pytest.raises(YamlFault, match=f"aliases repeat more than {REPEATS} values") as found:
        values(f"a: 1\n---\n{laughs(levels=6)}")
    assert (found.value.number, found.value.line) == (2, 8)
    assert time.monotonic() - began < 2


def test_some_aliases_are_as_good_as_any() -> None:
    [found] = values(laughs(levels=2, times=3))
    assert json.dumps(found).count("x") == 1 + 3 + 9


@pytest.mark.parametrize("text", ["a: &a [1, *a]", "a: &a {b: *a}", "a: &a {<<: *a}"])
def test_an_alias_inside_its_own_anchor_is_refused(text: str) -> None:
    with pytest.raises(YamlFault, match='alias "a" is inside its own anchor') as found:
        values(f"x: 1\n---\n{text}")
    assert (found.value.number, found.value.line) == (2, 3)


@pytest.mark.parametrize("depth", [DEPTH + 1, 900])
def test_nesting_has_a_limit(depth: int) -> None:
    with pytest.raises(YamlFault, match=f"nested deeper than {DEPTH} levels") as found:
        values("[" * depth + "]" * depth)
    assert found.value.line == 1


def test_nesting_through_aliases_has_the_same_limit() -> None:
    chain = "\n".join(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, DEPTH + 1))
    with pytest.raises(YamlFault, match="nested deeper"):
        values(f"a0: &a0 [x]\n{chain}")


def test_anchors_end_with_their_document() -> None:
    with pytest.raises(YamlFault, match="has no anchor before it"):
        values("a: &a 1\n---\nb: *a")


def test_values_are_those_of_json() -> None:
    [found] = values("{day: 2026-11-29, 1: one, true: yes, big: 1e3, n: null, bad: 2026-99-99}")
    assert found == {"day": "2026-11-29", "1": "one", "true": True, "big": "1e3", "n": None, "bad": "2026-99-99"}


@pytest.mark.parametrize(
    "text", ["!!binary aGk=", "!!set {a}", "? [a]\n: b", "!other x", "a: " + "9" * 5000, "a: [", "\x00", "a: 'b"]
)
def test_what_is_no_manifest_has_a_place(text: str) -> None:
    with pytest.raises(YamlFault) as found:
        values(f"ok: 1\n---\n{text}")
    assert found.value.number in (1, 2)
    assert "aGk" not in found.value.message


@settings(max_examples=100, derandomize=True, deadline=None, database=None)
@given(st.text(st.sampled_from("ab&*-:[]{}?!|>\n\t '\"<%@#,0123~")))
def test_any_text_is_values_or_a_fault(text: str) -> None:
    try:
        found = values(text)
    except YamlFault:
        return
    json.dumps(found, sort_keys=True)


UNFIT = {
    "a truth value": "!!bool zzz",
    "no digits": "!!int ''",
    "no fraction": "!!float ''",
    "a sign alone": "!!int '+'",
    "a mapping that is a list": "!!map [a]",
    "a fraction to the base of 60": "1" + ":00" * 200 + ".5",
    "sixteen times many digits": "0x" + "f" * 5000,
    "a number to the base of 60": "1" + ":00" * 590_000,
    "a number that is a mapping": '!!int {=: "0b' + "1" * 20_000 + '"}',
    "a fraction that is a mapping": '!!float {=: "1.5"}',
}


@pytest.mark.parametrize("text", UNFIT.values(), ids=UNFIT)
def test_a_value_that_cannot_be_read_is_told_with_its_place_in_little_time(text: str) -> None:
    began = time.monotonic()
    with pytest.raises(YamlFault, match="a value that cannot be read") as found:
        values(f"a: 1\n---\nx: {text}\n")
    assert (found.value.number, found.value.line) == (2, 3)
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(("text", "value"), [("0x1F", 31), ("1_000", 1000), ("1:30", 90), ("-1.5e+3", -1500.0)])
def test_numbers_are_read_as_yaml_1_1_has_them(text: str, value: float) -> None:
    assert values(f"x: {text}") == [{"x": value}]
