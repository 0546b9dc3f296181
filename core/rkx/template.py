"""Templates with holes: ``${name}`` stands for a whole YAML scalar and can add no structure."""

from __future__ import annotations

import json
import re

HOLE = re.compile(r"\$\{([a-z_][a-z0-9_]*)\}")
UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff\U00010000-\U0010ffff]")
WHOLE = re.compile(r"""(?:^|[\s:\[,{-])\$\{[a-z_][a-z0-9_]*\}(?=[\s,\]}]|$)""", re.MULTILINE)


def render(text: str, **values: str | int | bool) -> str:
    """Fill each hole with a JSON scalar, which is YAML too.

    Raises ValueError for a hole inside a longer word, for a name that is missing, and for one that is never used.
    """
    holes = set(HOLE.findall(text))
    if len(WHOLE.findall(text)) != len(HOLE.findall(text)):
        raise ValueError("a hole must be a whole scalar")
    if missing := sorted(holes - values.keys()):
        raise ValueError(f"no value for {', '.join(missing)}")
    if unused := sorted(values.keys() - holes):
        raise ValueError(f"no hole for {', '.join(unused)}")
    return HOLE.sub(lambda match: _scalar(values[match.group(1)]), text)


def _scalar(value: str | int | bool) -> str:
    """Write a JSON scalar as YAML reads it: without pairs of surrogates, and without letters that YAML cannot hold."""
    return UNPRINTABLE.sub(lambda letter: f"\\U{ord(letter.group()):08x}", json.dumps(value, ensure_ascii=False))
