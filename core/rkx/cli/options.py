"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

_FILE = click.option(
    "-f",
    "--file",
    "--config",
    "file",
    default="cluster.yml",
    show_default=True,
    envvar="RKE_CONFIG",
    show_envvar=True,
    type=click.Path(path_type=Path),
    help="The cluster file.",
)
_VALIDATE = click.option(
    "--validate",
    "mode",
    default="strict",
    show_default=True,
    type=click.Choice(["strict", "warn"]),
    help="Treat unknown or repeated keys as errors, or as warnings: RKE ignored them.",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="For programs: JSON on standard output.")
_PLAIN = click.option("--plain", is_flag=True, help="Lines instead of a live screen; the default in a pipe.")
_VERBOSE = click.option("--verbose", is_flag=True, help="Show also what begins, and the log of the connections.")
_YES = click.option("--yes", "--force", "yes", is_flag=True, help="Confirm actions that lose data or service.")
_UNREACHABLE = click.option(
    "--allow-unreachable",
    multiple=True,
    metavar="NAME",
    help="Continue without this node if it does not answer or is unfit; it stays a member. Repeatable.",
)
_REPLACE = click.option(
    "--replace",
    multiple=True,
    metavar="NAME",
    help="Another machine may have taken the place of this node's; asks. Repeatable.",
)
_CA_FINGERPRINT = click.option(
    "--ca-fingerprint",
    default="",
    metavar="SHA256",
    help="The cluster's authority, needed where the state is lost and no API server answers to verify a copy.",
)
_BREAK_LOCK = click.option("--break-lock", default="", metavar="RUN", help="Take the lock over from that run.")


def _all(*options: Callable[[F], F]) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


def reads_file(function: F) -> F:
    """Add what every command takes that reads cluster.yml."""
    return _all(_FILE, _VALIDATE, _JSON)(function)


def visits_nodes(function: F) -> F:
    """Add what every command takes that connects to the nodes."""
    return _all(_VERBOSE, _UNREACHABLE, _REPLACE, _CA_FINGERPRINT)(function)


def changes_nodes(function: F) -> F:
    """Add what every command takes that changes the nodes."""
    return _all(_YES, _PLAIN, _BREAK_LOCK)(function)


as_json_option = _JSON
