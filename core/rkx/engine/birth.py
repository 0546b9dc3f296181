"""Values fixed when a cluster is born: kept in the state, and a change of one is refused."""

from __future__ import annotations

import re

from rkx.engine.state import State
from rkx.errors import Refused
from rkx.model.cluster import Cluster

FIXED = {"pod_cidr": "the range of pods", "service_cidr": "the range of services", "dns_domain": "the DNS domain"}


def births(cluster: Cluster) -> dict[str, str]:
    """Give what a new cluster is born with."""
    fixed = {name: str(getattr(cluster, name)) for name in FIXED}
    return {**fixed, "network": cluster.network.name, "name": cluster.name}


def check_births(cluster: Cluster, state: State) -> None:
    """Refuse what would break the cluster that runs: other ranges, another domain, a skipped or lower minor."""
    for name, what in FIXED.items():
        was, wanted = state.birth.get(name), str(getattr(cluster, name))
        if was is not None and was != wanted:
            raise Refused(
                f"{cluster.file}: {what} is {wanted!r}, but the cluster was made with {was!r}",
                hint=f"write {was!r}; this value cannot change while the cluster lives",
            )
    was = state.birth.get("network")
    if was is not None and was != cluster.network.name:
        raise Refused(
            f"{cluster.file}: the network is {cluster.network.name!r}, but the cluster was made with {was!r}",
            hint="exchange of the network is not offered yet; remove the cluster and make it anew",
        )
    _check_version(cluster, state.birth.get("kubernetes_version", ""))


def _check_version(cluster: Cluster, was: str) -> None:
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
        hint=f"upgrades of a running cluster are not offered yet; write {was}",
    )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])
