"""Which version of Kubernetes may follow the one that runs."""

from __future__ import annotations

import re

from rkx.errors import Refused
from rkx.model.cluster import Cluster

KEPT_AS = "kubernetes_version"
"""The name of the version that runs, among a state's immutable values."""
FORM = re.compile(r"v([0-9]{1,4})\.([0-9]{1,4})\.([0-9]{1,4})")


def check_version(cluster: Cluster, was: str) -> None:
    """Raise Refused for a version that may not follow ``was``: a lower one, a skipped minor, or, so far, any other."""
    if not was or was == cluster.kubernetes_version:
        return
    former, wanted = numbers(was), numbers(cluster.kubernetes_version)
    if wanted < former:
        raise Refused(
            f"{cluster.file}: kubernetes_version: {cluster.kubernetes_version}, but the cluster runs {was}",
            hint="Kubernetes cannot go back to a lower version",
        )
    if wanted[1] > former[1] + 1:
        raise Refused(
            f"{cluster.file}: kubernetes_version: {cluster.kubernetes_version} skips a minor after {was}",
            hint="Kubernetes goes up one minor at a time",
        )
    raise Refused(
        f"{cluster.file}: kubernetes_version: {cluster.kubernetes_version}, but the cluster runs {was}",
        hint=f"upgrades of a running cluster are not supported yet; write {was}",
    )


def numbers(version: str) -> tuple[int, ...]:
    """Return major, minor and patch of vX.Y.Z; ValueError for another word."""
    if (found := FORM.fullmatch(version)) is None:
        raise ValueError("this is not a version of Kubernetes")
    return tuple(map(int, found.groups()))
