"""How a user's extra_args meet rkx's own arguments; the rules for each flag are in flags.toml."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import rkx
from rkx_service_kubernetes.config import Program

OTHERS = "what it depends on is set elsewhere in cluster.yml"
FLAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*")


@cache
def rules() -> dict[str, Any]:
    """Return the rules of every program."""
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
    """Return whether a program of that minor takes the flag, as far as the rules say."""
    rule = rules()[program]["rules"].get(flag, {})
    return int(rule.get("first", 0)) <= minor <= int(rule.get("last", minor))


class Given(NamedTuple):
    """One flag with the user's values and their path in cluster.yml; ``whole``: they take the place of rkx's own."""

    flag: str
    texts: tuple[str, ...]
    where: str
    whole: bool = False


def given(program: str, extra: Program) -> Iterator[Given]:
    """List what a user gives to a program, by whatever option, and by variables that stand for flags."""
    where, prefix = f"services.{rules()[program]['key']}", rules()[program].get("env", "")
    for flag, text in extra.extra_args.items():
        yield Given(flag, (text,), f"{where}.extra_args.{flag}", whole=True)
    for flag, texts in extra.extra_args_array.items():
        yield Given(flag, texts, f"{where}.extra_args_array.{flag}")
    for number, line in enumerate(extra.extra_env):
        name, _, text = line.partition("=")
        if prefix and name.startswith(prefix):
            flag = name.removeprefix(prefix).lower().replace("_", "-")
            yield Given(flag, (text,), f"{where}.extra_env[{number}]", whole=True)


def problems(program: str, extra: Program, minor: int) -> Iterator[rkx.Problem]:
    """Find arguments that rkx owns, that the minor does not know, and lists that are replaced whole."""
    for each in given(program, extra):
        yield from _of_flag(program, each, minor)


def _of_flag(program: str, given: Given, minor: int) -> Iterator[rkx.Problem]:
    flag, where, table = given.flag, given.where, rules()[program]
    if not FLAG.fullmatch(flag):
        hint = f"write {flag.lstrip('-')}: VALUE" if FLAG.fullmatch(flag.lstrip("-")) else "letters, digits, - and ."
        yield rkx.Problem(where=where, message=f"{flag!r} is not a valid argument name", hint=hint)
    elif flag in table["owned"]:
        hint = f"leave it out; {table.get('elsewhere', {}).get(flag, OTHERS)}"
        yield rkx.Problem(where=where, message=f"rkx itself sets {program}'s --{flag}", hint=hint)
    elif not knows(program, flag, minor):
        yield _unknown(program, flag, where, minor)
    elif flag in table["lists"] and given.whole:
        hint = "name every entry that is still wanted"
        yield rkx.Problem(where=where, message=f"replaces rkx's whole list of --{flag}", hint=hint, warning=True)


def _unknown(program: str, flag: str, where: str, minor: int) -> rkx.Problem:
    rule = rules()[program]["rules"][flag]
    last = int(rule.get("last", minor))
    span = f"ended with 1.{last}" if last < minor else f"begins with 1.{rule['first']}"
    instead = rule.get("instead", "")
    hint = f"use {instead}" if instead else "leave it out"
    return rkx.Problem(where=where, message=f"{program} 1.{minor} has no --{flag}: it {span}", hint=hint)
