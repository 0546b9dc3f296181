"""All 131 checks in the benchmark's order, and why some fail on a cluster that rkx made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from rkx_cis import files, policies, servers, workers
from rkx_cis.check import Check

Profile = Literal["default", "cis"]
PROFILES: tuple[Profile, ...] = ("default", "cis")


def _place(check: Check) -> list[int]:
    return [int(part) for part in check.id.split(".")]


CHECKS: tuple[Check, ...] = tuple(
    sorted((*files.CHECKS, *servers.CHECKS, *workers.CHECKS, *policies.CHECKS), key=_place)
)
_ALWAYS = {
    "1.1.9": "the CNI program host-local keeps its leases 644; rkx's own file is 600",
    "4.2.7": "a node is called as cluster.yml says: its credentials are made before the machine is seen",
    "5.1.1": "the operator's group, instead of system:masters, which cannot be revoked",
    "5.2.5": "a network's own pods must set up the machine's network",
}
REASONS: Mapping[Profile, Mapping[str, str]] = {
    "default": {
        **_ALWAYS,
        "1.2.11": "machines whose images were loaded beforehand could start no pod; profile cis turns it on",
        "5.1.5": "the built-in namespaces of users keep Kubernetes' default; profile cis closes them",
    },
    "cis": _ALWAYS,
}
"""Why a check fails, by profile; each other one passes or is a person's to judge."""


def expected(check: Check, profile: Profile) -> str:
    """Return the verdict that a cluster of this profile is held to."""
    return "manual" if check.kind == "manual" else "fail" if check.id in REASONS[profile] else "pass"
