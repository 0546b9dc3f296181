"""Find the names that a misspelt one was meant to be."""

from __future__ import annotations

import re
from collections.abc import Iterable

WORST = 3
MOST_NAMES = 20
FORMER = {
    "hosts": "nodes",
    "ip": "address",
    "hostname": "hostname_override",
    "advertised_hostname": "hostname_override",
    "advertise_address": "internal_address",
}
"""Keys that RKE gave up before its first version, and the ones in their place."""


def nearest(written: str, known: Iterable[str], most: int = 2) -> tuple[str, ...]:
    """List the known names that differ least from ``written``; none if all differ by more than ``most`` edits.

    Long names may differ by one edit in three letters, up to 3.
    """
    scored = {name: min(distance(_folded(written), _folded(name)), distance(written, name)) for name in known}
    least = min(scored.values(), default=WORST + 1)
    if least > min(WORST, max(most, len(written) // 3)):
        return ()
    return tuple(sorted(name for name, edits in scored.items() if edits == least))[:3]


def suggestion(written: str, known: Iterable[str]) -> str:
    """Return a hint: the nearest names, or all that are known."""
    names = sorted(known)
    if close := nearest(written, names):
        return "did you mean " + " or ".join(f'"{name}"' for name in close) + "?"
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return f"known here: {', '.join(names[:MOST_NAMES])}{more}" if names else ""


def distance(one: str, other: str) -> int:
    """Count the edits between two texts: insert, delete, replace, swap neighbours; stops counting past 4."""
    if abs(len(one) - len(other)) > WORST:
        return WORST + 1
    before, row = [0] * (len(other) + 1), list(range(len(other) + 1))
    for i, left in enumerate(one, 1):
        previous, before, row = before, row, [i, *([0] * len(other))]
        for j, right in enumerate(other, 1):
            row[j] = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (left != right))
            if i > 1 and j > 1 and left == other[j - 2] and one[i - 2] == right:
                row[j] = min(row[j], previous[j - 2] + 1)
    return row[-1]


def _folded(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower().replace("-", "_")
