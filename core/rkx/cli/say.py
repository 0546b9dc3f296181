"""The way to the terminal: what nodes, pods and servers said is shown there, and never obeyed.

Control characters, among them those that turn the direction of writing, become visible, such as ``\\x1b``. A message's
further lines are indented, since they may be another's.
"""

from __future__ import annotations

import json

import click

from rkx.lines import hanging

OF_LINES = "\n\t"


def visible(text: str) -> str:
    """Return text that a terminal only shows; ends of lines and tabs stay."""
    if text.isprintable():
        return text
    return text.replace("\r\n", "\n").translate(_Visible())


class _Escaped:
    """What str.translate asks for each character in turn: nothing is kept of one but what is written."""

    def __getitem__(self, number: int) -> str:
        if chr(number).isprintable():
            raise LookupError  # it stays
        return self.written(number)

    @staticmethod
    def written(number: int) -> str:
        return json.dumps(chr(number))[1:-1]


class _Visible(_Escaped):
    @staticmethod
    def written(number: int) -> str:
        if chr(number) in OF_LINES:
            return chr(number)
        return f"\\x{number:02x}" if number <= 0xFF else f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"


def say(message: str, *, err: bool = False) -> None:
    """Print a message, on standard error with ``err``."""
    say_text(hanging(message), err=err)


def say_text(text: str, *, err: bool = False, nl: bool = True) -> None:
    """Print a text that has lines of its own, in which those of others are told apart already."""
    click.echo(visible(text), err=err, nl=nl)


def as_json(value: object) -> str:
    """Return a value as one line of JSON, in which what is not printable is escaped as JSON has it."""
    text = json.dumps(value, ensure_ascii=False)
    if text.isprintable():
        return text
    return text.translate(_Escaped())
