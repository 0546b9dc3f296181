"""Follow a run to its end: its events go to a reader, signals and questions to the operator."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import msgspec

from rkx.cli.ask import Operator
from rkx.cli.say import say
from rkx.cli.signals import Stop
from rkx.events import Event, ProblemFound

if TYPE_CHECKING:
    from rkx.api import Options, Project, Run


class Reader(Protocol):
    """One way to show events."""

    def show(self, event: Event) -> None:
        """Show an event."""

    def pause(self) -> None:
        """Make room for a question."""

    def resume(self) -> None:
        """Go on after a question."""

    def close(self) -> None:
        """End."""


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line said about a run."""

    yes: bool = False
    as_json: bool = False
    plain: bool = False
    verbose: bool = False
    allow_unreachable: tuple[str, ...] = ()
    break_lock: str = ""
    replace: tuple[str, ...] = ()
    ca_fingerprint: str = ""


def options(wishes: Wishes, operator: Operator) -> Options:
    """Return the options of a run."""
    from rkx.api import Options

    return Options(
        prompt=operator.passphrase if operator.is_there() else None,
        accept=operator.accept,
        allow_unreachable=frozenset(wishes.allow_unreachable),
        break_lock=wishes.break_lock,
        replace=frozenset(wishes.replace),
        ca_fingerprint=wishes.ca_fingerprint,
        confirm=operator.confirm,
    )


def follow(project: Project, start: Callable[[Project, Options], Run], wishes: Wishes) -> None:
    """Start a run and show it; raises what went wrong."""
    screen = reader(wishes)
    with Stop() as stop:
        with stop.starting() as cancels:
            run = start(project, options(wishes, Operator(stop, screen, yes=wishes.yes)))
            cancels(run.cancel)
        try:
            for event in run:
                if wishes.as_json or not _is_shown_elsewhere(event, project):
                    screen.show(event)
        finally:
            screen.close()
        run.wait()


def _is_shown_elsewhere(event: Event, project: Project) -> bool:
    """Return whether a warning is on the screen already, with its line in the file, or will be, as one of the state.

    What a run finds about no single node, such as where a lost state was found, has neither node nor place.
    """
    if not isinstance(event, ProblemFound) or not event.warning or event.node:
        return False
    return bool(event.where) or event.message in {problem.message for problem in project.warnings}


def reader(wishes: Wishes) -> Reader:
    """Choose how a run is shown: JSON lines, plain lines, or a live screen on a terminal."""
    if wishes.as_json:
        from rkx.cli.show_json import JsonLines

        return JsonLines(say)
    if wishes.plain or wishes.verbose or not sys.stdout.isatty():
        from rkx.cli.show_plain import Plain

        return Plain(say, verbose=wishes.verbose)
    from rkx.cli.show_rich import Screen

    return Screen()
