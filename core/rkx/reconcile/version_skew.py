"""Which version of Kubernetes may follow the one that runs."""

from __future__ import annotations

import re

from rkx.errors import Refused
from rkx.model.cluster import Cluster


def check_version(cluster: Cluster, was: str) -> None:
    """Raise Refused for a version that may not follow ``was``: a lower one, a skipped minor, or, so far, any other."""
    former, wanted = _numbers(was), _numbers(cluster.kubernetes_version)
    if not was or former == wanted:
        return
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


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])
