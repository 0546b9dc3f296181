"""Show what went wrong on standard error: the message, then the hint; a bug's traceback goes to a file."""

from __future__ import annotations

import os
import tempfile
import traceback

from rkx.cli.say import say, say_text, visible
from rkx.errors import ConfigError, PluginFault, PreflightFailed, RkxError
from rkx.lines import MESSAGE, cut


def show(error: RkxError) -> None:
    """Print an error with its hint; several problems one by one, as a compiler does."""
    if isinstance(error, ConfigError | PreflightFailed) and error.problems:
        _show_problems(error)
    else:
        say(f"error: {cut(error.message, MESSAGE)}", err=True)
        if error.hint and type(error) is not RkxError:  # a bug of rkx's own has but one hint: its file
            say(f"hint: {cut(error.hint, MESSAGE)}", err=True)
    if bugs := [each for each in (error, *_parts(error)) if each.exit_code == RkxError.exit_code]:
        _name_file("\n".join(_trace(each) for each in bugs))


def show_bug(error: Exception) -> None:
    """Print that rkx itself is wrong, and where its traceback lies."""
    say(f"error: a bug in rkx: {type(error).__name__}", err=True)
    _name_file(_trace(error))


def _show_problems(error: ConfigError | PreflightFailed) -> None:
    from rkx.config import show as problems_as_text

    say_text(problems_as_text(error.problems), err=True)
    if isinstance(error, ConfigError) and error.message not in {problem.message for problem in error.problems}:
        say(f"error: {cut(error.message, MESSAGE)}", err=True)


def _parts(error: RkxError) -> list[RkxError]:
    return [*getattr(error, "failures", {}).values()]


def _trace(error: Exception) -> str:
    text = "".join(traceback.format_exception(error))
    return text + (f"\n{error.trace}" if isinstance(error, PluginFault) else "")


def _name_file(text: str) -> None:
    handle, path = tempfile.mkstemp(prefix="rkx-bug-", suffix=".txt")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(visible(text))
    say(f"hint: report it with {path}, which holds no key", err=True)
