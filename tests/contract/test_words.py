"""Texts use the field's words: those in words.toml appear nowhere, but for the phrases that it excepts."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from typing import Any

import pytest
from tests.contract.prose import ROOT, Piece, pieces

WORDS: list[dict[str, Any]] = tomllib.loads((ROOT / "tests/contract/words.toml").read_text())["words"]
EXCEPTIONS = [(phrase, reason) for word in WORDS for phrase, reason in word.get("except", {}).items()]


@cache
def prose() -> tuple[Piece, ...]:
    return tuple(pieces())


def places(avoid: str, excepted: dict[str, str], piece: Piece) -> list[str]:
    """Name each place of a word in a piece; phrases that are excepted are cut out first, line ends kept."""
    text = piece.text
    for phrase in excepted:
        text = text.replace(phrase, "")
    starts = (piece.line + text.count("\n", 0, found.start()) for found in re.finditer(avoid, text))
    lines = text.splitlines()
    return [f"{piece.path}:{start}: {lines[start - piece.line].strip()[:120]}" for start in starts]


@pytest.mark.parametrize("word", WORDS, ids=lambda word: word["avoid"])
def test_words_when_prose_is_read_then_each_avoided_word_is_absent(word: dict[str, Any]) -> None:
    found = [place for piece in prose() for place in places(word["avoid"], word.get("except", {}), piece)]
    assert found == [], f"write: {word['write']}"


@pytest.mark.parametrize(("phrase", "reason"), EXCEPTIONS)
def test_words_when_a_phrase_is_excepted_then_it_is_used_and_has_a_reason(phrase: str, reason: str) -> None:
    assert reason
    assert any(phrase in piece.text for piece in prose())


def test_words_when_a_message_has_a_value_in_it_then_is_read_whole() -> None:
    piece = Piece("a.py", 7, "first line\n{} is no port")
    assert places(r"\bis no \w+", {}, piece) == ["a.py:8: {} is no port"]
    assert places(r"\bis no \w+", {"is no port": "kept"}, piece) == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("README.md", "# rkx"),
        ("cluster.example.yml", "host keys must be in known_hosts"),
        ("core/rkx/config/addresses.py", '"{}" is not a valid port ({})'),
        ("core/rkx/config/addresses.py", "empty if it is one"),
        ("core/rkx/transport.py", "# it is no longer used"),
        ("plugins/service_kubernetes/rkx_service_kubernetes/flags.toml", "there is no record of who did what"),
    ],
)
def test_prose_when_collected_then_pages_messages_docstrings_comments_and_tables_are_in_it(
    path: str, text: str
) -> None:
    assert any(piece.path == path and text in piece.text for piece in prose())
