"""Fetch a secret that cluster.yml only points at: ``{file: …}``, ``{env: …}``, ``{command: […]}``."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from rkx.config.tree import Items, Scalar, Table, Tree
from rkx.files import expanded, read_text
from rkx.secret import Secret, Unread

SOURCES = ("file", "env", "command")
WAYS = "write it as text, or say where it is: {file: PATH}, {env: NAME} or {command: [PROGRAM, ...]}"
COMMAND_TIMEOUT_S = 30
MOST_BYTES = 1 << 20


def secret(tree: Tree, folder: Path, *, reads: bool) -> Secret[str]:
    """Return the secret; ValueError says why it cannot be had, without a word of it.

    Without ``reads`` one that lies elsewhere is judged by its form and stays unread: nothing is opened or run.
    """
    match tree:
        case Scalar():
            return Secret(tree.text)
        case Table() if len(tree.entries) == 1 and next(iter(tree.entries)) in SOURCES:
            source, entry = next(iter(tree.entries.items()))
            words = _words(source, entry.value)
            return Secret(_from(source, words, folder)) if reads else Unread()
    raise ValueError("text expected, or where the secret is")


def _words(source: str, value: Tree) -> list[str]:
    """Return the words of a command, or the one word of the others."""
    if source == "command":
        words = [item.text for item in value.values if isinstance(item, Scalar)] if isinstance(value, Items) else []
        if not words:
            raise ValueError("command: a list of words expected, program first")
        return words
    if not isinstance(value, Scalar):
        raise ValueError(f"{source}: text expected")  # noqa: TRY004 - a mistake in the file, not in the program
    return [value.text]


def _from(source: str, words: list[str], folder: Path) -> str:
    if source == "command":
        return _output(words, folder)
    if source == "env":
        if words[0] not in os.environ:
            raise ValueError(f'environment has no variable "{words[0]}"')
        return os.environ[words[0]]
    path = folder / expanded(words[0])
    try:
        return read_text(path, MOST_BYTES).removesuffix("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"cannot read {path}: {getattr(error, 'strerror', None) or 'not UTF-8'}") from error


def _output(words: list[str], folder: Path) -> str:
    try:
        done = subprocess.run(
            words, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=COMMAND_TIMEOUT_S, check=False
        )
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        reason = getattr(error, "strerror", None) or f"no end within {COMMAND_TIMEOUT_S} s"
        raise ValueError(f'command "{words[0]}" gave no secret: {reason}') from error
    if done.returncode:
        raise ValueError(f'command "{words[0]}" ended with {done.returncode}')
    return done.stdout.decode("utf-8", "replace").removesuffix("\n")
