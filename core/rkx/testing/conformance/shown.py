"""The one text of whatever a plugin gives, so that two can be compared and secrets be looked for."""

from __future__ import annotations

import json
from collections.abc import Iterable

from rkx.reconcile import digest
from rkx.testing.conformance import samples
from rkx.testing.conformance.subject import Case, Subject


def described(subject: Subject, cases: Iterable[Case] | None = None) -> list[object]:
    """Ask every hook that describes, in every case, and give all that comes."""
    found: list[object] = []
    for case in subject.cases() if cases is None else cases:
        found += subject.plugins.identities(case.cluster)
        found += subject.plugins.checks(case.cluster, case.facts)
        match subject.stage:
            case "auth":
                found.append(subject.plugins.auth_settings(case.cluster, case.facts))
            case "network" | "service" | "addon":
                found += [subject.network(case), *subject.resources(case)]
            case "extension":
                found += subject.plugins.amended(case.cluster, samples.resources(case.cluster))
    return found


def text(value: object) -> str:
    """Write a value down whole; the order of a set has no meaning, that of all else counts."""
    return json.dumps(digest.canonical(value), default=_plain)


def _plain(value: object) -> object:
    if isinstance(value, set | frozenset):
        return sorted(map(text, value))
    return value.hex() if isinstance(value, bytes) else repr(value)
