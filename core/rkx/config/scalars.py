"""Decode one scalar as a type, from its source text; ValueError says what was expected."""

from __future__ import annotations

from typing import Any

from rkx.config.tree import FALSE, INTEGER, KINDS, REAL, TRUE, Ready, Scalar, Tree


def found(tree: Tree) -> str:
    """Name what is there, with a scalar's value; not for secrets."""
    if isinstance(tree, Scalar):
        return f'{"" if tree.is_bare else "text "}"{shortened(tree.text)}" found'
    return f"{KINDS[type(tree)]} found"


def shortened(text: str) -> str:
    """Return a text as one line of at most 60 characters, with control characters spelled out."""
    line = "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in text[:61])
    return line if len(text) <= 60 else f"{line[:57]}..."


def decode_text(tree: Tree) -> str:
    """Return the scalar's text as written, empty for null; ValueError for anything else."""
    if isinstance(tree, Scalar):
        return "" if tree.is_null else tree.text
    if isinstance(tree, Ready) and isinstance(tree.value, str):
        return tree.value
    raise ValueError(f"text expected, {found(tree)}")


def decode_bool(tree: Tree) -> bool:
    """Return a truth value, also from the words of YAML 1.1; ValueError for anything else."""
    if isinstance(tree, Scalar) and tree.is_bare and tree.text in TRUE | FALSE:
        return tree.text in TRUE
    raise ValueError(f"true or false expected, {found(tree)}")


def decode_int(tree: Tree) -> int:
    """Return a decimal number; ValueError for anything else, such as 022, which YAML 1.1 reads as 18."""
    if isinstance(tree, Scalar) and tree.is_bare:
        if INTEGER.match(tree.text):
            return int(tree.text)
        if octal := octal_note(tree.text):
            raise ValueError(f"whole number expected, {found(tree)} ({octal})")
    raise ValueError(f"whole number expected, {found(tree)}")


def octal_note(text: str) -> str:
    """Say what YAML 1.1 made of a number with a zero before it; empty if there is none."""
    if len(text) > 1 and text[0] == "0" and set(text) <= set("01234567"):
        return f"{text} is octal {int(text, 8)} in YAML 1.1"
    return ""


def decode_float(tree: Tree) -> float:
    """Return a decimal number with or without a fraction; ValueError for anything else."""
    if isinstance(tree, Scalar) and tree.is_bare and REAL.match(tree.text):
        return float(tree.text)
    raise ValueError(f"number expected, {found(tree)}")


SCALARS: dict[Any, Any] = {str: decode_text, bool: decode_bool, int: decode_int, float: decode_float}
"""Type to its decoder."""
ADVICE: dict[Any, str] = {
    str: "write one text",
    bool: "write true or false, without quotes",
    int: "write it in digits, without quotes and without zeros before it",
    float: "write it in digits, such as 1.5, without quotes",
}
"""Type to what to write instead of a scalar that is none."""
