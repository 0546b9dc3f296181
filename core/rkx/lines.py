"""Lines of output: a value that has several cannot be taken for lines of rkx's own."""

from __future__ import annotations

INDENT = "\n  "


def hanging(text: str) -> str:
    """Give a message whose further lines are indented: none of them begins as a message does."""
    return text.replace("\n", INDENT)


def one_line(text: str) -> str:
    """Give a text as one line, its ends of lines written as ``\\n``."""
    return text.replace("\n", "\\n")
