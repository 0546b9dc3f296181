"""Judges, made from what to look at and what is right there."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

import yaml

from rkx_cis.evidence import Evidence, Machine, Role, Verdict, judged

Judge = Callable[[Evidence], Verdict]
Look = Callable[[Machine], Verdict]
Test = Callable[[str | None], bool]
"""Tells if a value is right; None is one that was not given."""
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
STRONG = frozenset(
    f"TLS_ECDHE_{signature}_WITH_{cipher}"
    for signature in ("ECDSA", "RSA")
    for cipher in (
        *("AES_128_GCM_SHA256", "AES_256_GCM_SHA384"),
        *("CHACHA20_POLY1305", "CHACHA20_POLY1305_SHA256"),
    )
)


def given(value: str | None) -> bool:
    """Want any value."""
    return bool(value)


def absent(value: str | None) -> bool:
    """Want none."""
    return value is None


def equal(wanted: str) -> Test:
    """Want one value."""
    return lambda value: value == wanted


def unset_or(test: Test) -> Test:
    """Want the default, or what passes ``test``."""
    return lambda value: value is None or test(value)


def has(word: str) -> Test:
    """Want a list with ``word`` in it."""
    return lambda value: word in (value or "").split(",")


def lacks(word: str) -> Test:
    """Want a list without ``word``."""
    return lambda value: word not in (value or "").split(",")


def at_least(least: int) -> Test:
    """Want a number that is not smaller."""
    return lambda value: value is not None and value.isdecimal() and int(value) >= least


def above_zero(value: str | None) -> bool:
    """Want a number or a duration that is not nothing."""
    return value is None or value.rstrip("hms") not in ("0", "")


def strong(value: str | None) -> bool:
    """Want a list of strong cipher suites alone."""
    return bool(value) and STRONG.issuperset((value or "").split(","))


def manual(note: str = "") -> Judge:
    """Leave the verdict to a person."""
    return lambda evidence: Verdict(result="manual", seen=note)


def every(role: Role | None, look: Look) -> Judge:
    """Look at each machine that carries ``role``, or at all; one that fails makes the check fail."""

    def judge(evidence: Evidence) -> Verdict:
        chosen = [machine for machine in evidence.machines if role is None or role in machine.roles]
        found = [(machine.name, look(machine)) for machine in chosen]
        bad = [f"{name}: {verdict.seen}" for name, verdict in found if verdict.result == "fail"]
        good = dict.fromkeys(verdict.seen for _, verdict in found)
        return judged(not bad and bool(found), "; ".join(bad or good) or f"no machine with role {role}")

    return judge


def flag(program: str, name: str, test: Test) -> Look:
    """Look at an argument of a program that must run."""

    def look(machine: Machine) -> Verdict:
        if program not in machine.processes:
            return judged(False, f"{program} does not run")
        value = machine.processes[program].flags.get(name)
        return judged(test(value), f"--{name} is not given" if value is None else f"--{name}={value}")

    return look


def setting(program: str, path: str, name: str, field: str, test: Test) -> Look:
    """Look at an argument, and where it is not given at its field in the program's file."""

    def look(machine: Machine) -> Verdict:
        if program not in machine.processes:
            return judged(False, f"{program} does not run")
        if (value := machine.processes[program].flags.get(name)) is not None:
            return judged(test(value), f"--{name}={value}")
        written = spelled(find(machine.texts.get(path, ""), field))
        return judged(test(written), f"{field} is not given" if written is None else f"{field}: {written}")

    return look


def find(text: str, field: str) -> Any:  # noqa: ANN401 - whatever the file holds
    """Find a field of a file by its dotted path; None where it is not."""
    value = yaml.load(text, LOADER) if text else None  # noqa: S506 - both are safe
    for part in field.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def spelled(value: object) -> str | None:
    """Write a field's value as an argument has it."""
    if value is None:
        return None
    if isinstance(value, list):
        return ",".join(str(each) for each in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def both(*looks: Look) -> Look:
    """Want all of several looks."""

    def look(machine: Machine) -> Verdict:
        found = [each(machine) for each in looks]
        bad = [verdict for verdict in found if verdict.result == "fail"]
        return judged(not bad, ", ".join(verdict.seen for verdict in bad or found))

    return look


def mode(most: int, *patterns: str, needed: bool = True) -> Look:
    """Want files with no more rights than ``most``; ``needed`` ones must be there."""
    return _files(patterns, needed, f"{most:o} or less", lambda entry: not entry.mode & ~most, lambda e: f"{e.mode:o}")


def owner(wanted: str, *patterns: str, needed: bool = True) -> Look:
    """Want files that belong to one user and group."""
    return _files(patterns, needed, wanted, lambda entry: entry.owner == wanted, lambda e: e.owner)


def _files(
    patterns: tuple[str, ...], needed: bool, wanted: str, right: Callable[[Any], bool], shown: Callable[[Any], str]
) -> Look:
    def look(machine: Machine) -> Verdict:
        found = {p: e for p, e in machine.files.items() if any(fnmatchcase(p, pattern) for pattern in patterns)}
        if not found:
            return judged(not needed, f"no {' or '.join(patterns)}")
        bad = [f"{path} is {shown(entry)}" for path, entry in found.items() if not right(entry)]
        more = f" and {len(bad) - 2} more" if len(bad) > 2 else ""
        return judged(not bad, ", ".join(bad[:2]) + more or f"{', '.join(patterns)}: {wanted}")

    return look
