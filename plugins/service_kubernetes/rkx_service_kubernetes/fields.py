"""Flags of programs that read a configuration file alone, brought into that file."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from msgspec.structs import replace

import rkx
from rkx_service_kubernetes.arguments import knows, rules
from rkx_service_kubernetes.config import Program


@cache
def table() -> dict[str, Any]:
    """Return the fields of every program that has such a file."""
    return tomllib.loads(files(__package__).joinpath("fields.toml").read_text())


def in_file(program: str, flag: str) -> bool:
    """Return whether a flag has no effect beside a configuration file."""
    entry = table()[program]
    return flag in entry["only"] or (not entry["only"] and flag not in entry["flags"])


def with_fields(program: str, body: Mapping[str, Any], extra: Program) -> dict[str, Any]:
    """Return the file's body with the user's arguments in their fields; an empty value leaves the field out."""
    filled = dict(body)
    for flag, text in extra.extra_args.items():
        if in_file(program, flag):
            path, kind = table()[program]["fields"][flag]
            filled = _set(filled, path.split("."), None if text == "" else READERS[kind](text))
    return filled


def flags_left(program: str, extra: Program) -> Program:
    """Return the user's arguments that stay flags."""
    left = {flag: text for flag, text in extra.extra_args.items() if not in_file(program, flag)}
    many = {flag: texts for flag, texts in extra.extra_args_array.items() if not in_file(program, flag)}
    return replace(extra, extra_args=left, extra_args_array=many)


def problems(program: str, extra: Program, minor: int) -> Iterator[rkx.Problem]:
    """Find arguments that have no field, and values that are none of the field's type."""
    where = f"services.{rules()[program]['key']}"
    for flag in extra.extra_args_array:
        if in_file(program, flag):
            yield _no_field(program, flag, f"{where}.extra_args_array.{flag}")
    for flag, text in extra.extra_args.items():
        if in_file(program, flag) and _is_free(program, flag, minor):
            yield from _of_value(program, flag, text, f"{where}.extra_args.{flag}")


def _is_free(program: str, flag: str, minor: int) -> bool:
    return flag not in rules()[program]["owned"] and knows(program, flag, minor)


def _of_value(program: str, flag: str, text: str, where: str) -> Iterator[rkx.Problem]:
    if flag not in table()[program]["fields"]:
        yield _no_field(program, flag, where)
        return
    path, kind = table()[program]["fields"][flag]
    try:
        READERS[kind](text or "0")
    except ValueError as error:
        yield rkx.Problem(where=where, message=f"{text!r} is not a valid value for {path}: {error}")


def _no_field(program: str, flag: str, where: str) -> rkx.Problem:
    kind = table()[program]["kind"]
    known = ", ".join(table()[program]["fields"])
    return rkx.Problem(
        where=where,
        message=f"{program} reads its configuration file instead of --{flag}, and {kind} has no field for it here",
        hint=f"these have one: {known}",
    )


def _set(body: Mapping[str, Any], path: list[str], value: object) -> dict[str, Any]:
    head, *rest = path
    filled = dict(body)
    if rest:
        filled[head] = _set(filled.get(head, {}), rest, value)
    elif value is None:
        filled.pop(head, None)
    else:
        filled[head] = value
    return filled


def _switch(text: str) -> bool:
    if text.lower() in ("true", "t", "1"):
        return True
    if text.lower() in ("false", "f", "0"):
        return False
    raise ValueError("true or false is wanted")


def _switches(text: str) -> dict[str, bool]:
    pairs = [part.partition("=") for part in text.split(",") if part != "0"]
    return {name.strip(): _switch(value) for name, _, value in pairs}


READERS: Mapping[str, Callable[[str], object]] = {
    "text": str,
    "int": int,
    "float": float,
    "bool": _switch,
    "list": lambda text: [part.strip() for part in text.split(",")],
    "switches": _switches,
}
