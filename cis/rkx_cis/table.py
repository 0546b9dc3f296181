"""Verdicts as a table: for a terminal, and for the documentation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from rkx_cis.check import Check
from rkx_cis.checks import CHECKS, PROFILES, REASONS, Profile, expected
from rkx_cis.evidence import Evidence, Verdict

Row = tuple[Check, Verdict]


def judge(evidence: Evidence) -> list[Row]:
    """Judge a cluster by every check."""
    return [(check, check.judge(evidence)) for check in CHECKS]


def unexplained(rows: Sequence[Row], profile: Profile) -> list[str]:
    """List the scored checks that fail without a reason written down."""
    failed = [check for check, verdict in rows if check.kind == "scored" and verdict.result == "fail"]
    return [check.id for check in failed if check.id not in REASONS[profile]]


def shown(rows: Sequence[Row], profile: Profile) -> Iterator[str]:
    """Write a line for each check, then the counts."""
    for check, verdict in rows:
        why = f" ({REASONS[profile][check.id]})" if verdict.result == "fail" and check.id in REASONS[profile] else ""
        yield f"{check.id:<7} {check.kind:<9} {verdict.result:<7} {check.wants}: {verdict.seen}{why}"
    counts = Counter((check.kind, verdict.result) for check, verdict in rows)
    for kind in ("scored", "unscored"):
        passed = counts[kind, "pass"]
        yield f"profile {profile}: {passed} of {passed + counts[kind, 'fail']} {kind} checks pass"
    yield f"profile {profile}: {counts['manual', 'manual']} checks are a person's to judge"


def page() -> str:
    """Write the documentation's table."""
    rows = [f"| {check.id} | {check.kind} | {check.wants} | {_cells(check)} |" for check in CHECKS]
    counts = [f"| {profile} | {_count(profile, 'scored')} | {_count(profile, 'unscored')} |" for profile in PROFILES]
    heads = ("| profile | scored checks that pass | unscored ones |\n|---|---|---|", *counts, "")
    return "\n".join(
        (*heads, "| check | kind | wants | default | `profile: cis` | why |\n|---|---|---|---|---|---|", *rows, "")
    )


def _cells(check: Check) -> str:
    why = dict.fromkeys(REASONS[profile][check.id] for profile in PROFILES if check.id in REASONS[profile])
    return " | ".join((*(expected(check, profile) for profile in PROFILES), "; ".join(why)))


def _count(profile: Profile, kind: str) -> str:
    found = [expected(check, profile) for check in CHECKS if check.kind == kind]
    return f"{found.count('pass')} of {len(found)}"
