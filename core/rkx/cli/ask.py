"""Questions to the operator: agreement to what would lose something, and passphrases; on a terminal only."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

import click

from rkx.cli.say import say, visible
from rkx.cli.signals import Stop
from rkx.errors import AuthRejected
from rkx.lines import hanging
from rkx.model.plan import Confirmation


class Pauses(Protocol):
    """A screen that makes room for a question."""

    def pause(self) -> None:
        """Stop drawing."""

    def resume(self) -> None:
        """Draw again."""


class Operator:
    """The operator at the terminal, if there is one; asked from any thread, one question at a time."""

    def __init__(self, stop: Stop, screen: Pauses | None = None, *, yes: bool = False) -> None:
        self._stop, self._screen, self._yes = stop, screen, yes
        self._lock = threading.Lock()
        self._answers: dict[str, str] = {}

    def accept(self, dangers: Sequence[Confirmation]) -> bool:
        """Ask for agreement; without a terminal, ``--yes`` alone agrees."""
        if self._yes or not self.is_there():
            return self._yes
        for danger in dangers:
            say(f"{danger.what}: {danger.why}", err=True)
        with suppress(click.Abort):  # the end of input does not agree
            return self._ask("Go on? [y/N]").strip().lower() in ("y", "yes")
        return False

    def confirm(self, fingerprint: str) -> bool:
        """Ask if an authority is the cluster's own; ``--yes`` does not answer that."""
        if not self.is_there():
            return False
        say(f"No API server confirms the authority of the state found on the nodes: {fingerprint}", err=True)
        with suppress(click.Abort):
            return self._ask("Is it this cluster's authority? [y/N]").strip().lower() in ("y", "yes")
        return False

    def passphrase(self, what: str) -> str:
        """Ask for a passphrase, once for all nodes that need the same."""
        with self._lock:
            if what not in self._answers:
                self._answers[what] = self._hidden(what)
            return self._answers[what]

    def _hidden(self, what: str) -> str:
        try:
            return self._ask(what, hide=True)
        except click.Abort as error:
            raise AuthRejected(f"no answer to: {what}", hint="use an SSH agent where there is no terminal") from error

    def _ask(self, text: str, *, hide: bool = False) -> str:
        if self._screen:
            self._screen.pause()
        try:
            with self._stop.at_once():
                answer: str = click.prompt(
                    visible(hanging(text)), default="", show_default=False, hide_input=hide, err=True
                )
                return answer
        finally:
            if self._screen:
                self._screen.resume()

    @staticmethod
    def is_there() -> bool:
        """Return whether questions can be asked."""
        return sys.stdin.isatty() and sys.stderr.isatty()
