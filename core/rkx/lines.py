"""Lines of output: a value that has several cannot be taken for lines of rkx's own, and none is endless."""

from __future__ import annotations

INDENT = "\n  "
WORDS = 2000
"""Limit of a server's own words in a message, in characters."""
MESSAGE = 20_000
"""So much of one message, which may put together the words of several nodes."""


def hanging(text: str) -> str:
    """Return a message whose further lines are indented: none of them begins as a message does."""
    return text.replace("\n", INDENT)


def one_line(text: str) -> str:
    """Return a text as one line, its ends of lines written as ``\\n``."""
    return text.replace("\n", "\\n")


def cut(text: str, most: int = WORDS) -> str:
    """Return a text that another wrote; of a longer one its beginning, and how long it is."""
    return text if len(text) <= most else f"{text[:most]}... ({len(text)} characters)"
