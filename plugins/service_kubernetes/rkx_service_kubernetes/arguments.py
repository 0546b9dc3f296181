"""How a user's extra_args meet rkx's own arguments; the rules for each flag are in flags.toml."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import rkx
from rkx_service_kubernetes.config import Program

FLAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*")


@cache
def rules() -> dict[str, Any]:
    """Give the rules of every program."""
    return tomllib.loads(files(__package__).joinpath("flags.toml").read_text())


def merged(own: Mapping[str, str], extra: Program) -> tuple[str, ...]:
    """Write arguments as ``--name=value``: rkx's with the user's in their place, then the user's others.

    An empty value leaves the argument out.
    """
    single = {**own, **extra.extra_args}
    written = [f"--{name}={value}" for name, value in single.items() if value != ""]
    written += [f"--{name}={value}" for name, values in extra.extra_args_array.items() for value in values]
    return tuple(written)


def knows(program: str, flag: str, minor: int) -> bool:
    """Tell if a program of that minor takes the flag, as far as the rules say."""
    rule = rules()[program]["rules"].get(flag, {})
    return int(rule.get("first", 0)) <= minor <= int(rule.get("last", minor))


def problems(program: str, extra: Program, minor: int) -> Iterator[rkx.Problem]:
    """Find arguments that rkx owns, that the minor does not know, and lists that are replaced whole."""
    for option, given in (("extra_args", extra.extra_args), ("extra_args_array", extra.extra_args_array)):
        for flag in given:
            where = f"services.{rules()[program]['key']}.{option}.{flag}"
            yield from _of_flag(program, flag, where, minor)


def _of_flag(program: str, flag: str, where: str, minor: int) -> Iterator[rkx.Problem]:
    table = rules()[program]
    if not FLAG.fullmatch(flag):
        hint = f"write {flag.lstrip('-')}: VALUE" if FLAG.fullmatch(flag.lstrip("-")) else "letters, digits, - and ."
        yield rkx.Problem(where=where, message=f"{flag!r} is no name of an argument", hint=hint)
    elif flag in table["owned"]:
        hint = "leave it out; what it depends on is set elsewhere in cluster.yml"
        yield rkx.Problem(where=where, message=f"rkx itself sets {program}'s --{flag}", hint=hint)
    elif not knows(program, flag, minor):
        yield _unknown(program, flag, where, minor)
    elif flag in table["lists"] and ".extra_args." in where:
        hint = "name every entry that is still wanted"
        yield rkx.Problem(where=where, message=f"replaces rkx's whole list of --{flag}", hint=hint, warning=True)


def _unknown(program: str, flag: str, where: str, minor: int) -> rkx.Problem:
    rule = rules()[program]["rules"][flag]
    last = int(rule.get("last", minor))
    span = f"ended with 1.{last}" if last < minor else f"begins with 1.{rule['first']}"
    instead = rule.get("instead", "")
    hint = f"use {instead}" if instead else "leave it out"
    return rkx.Problem(where=where, message=f"{program} 1.{minor} has no --{flag}: it {span}", hint=hint)
