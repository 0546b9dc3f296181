"""Immutable values of a cluster: kept in the state since its creation; a change of one is refused."""

from __future__ import annotations

from collections.abc import Iterator

from rkx.errors import Refused
from rkx.model.checks import Finding
from rkx.model.cluster import Cluster
from rkx.reconcile.state import State
from rkx.reconcile.version_skew import KEPT_AS, check_version

FIXED = {"pod_cidr": "the range of pods", "service_cidr": "the range of services", "dns_domain": "the DNS domain"}


def immutable_values(cluster: Cluster) -> dict[str, str]:
    """Return the immutable values of a new cluster."""
    fixed = {name: str(getattr(cluster, name)) for name in FIXED}
    return {**fixed, "network": cluster.network.name, "name": cluster.name}


def check_immutable(cluster: Cluster, state: State) -> None:
    """Raise Refused for what would break the running cluster: other ranges, domain or network, a skipped minor."""
    for name, what in FIXED.items():
        was, wanted = state.immutable.get(name), str(getattr(cluster, name))
        if was is not None and was != wanted:
            raise Refused(
                f"{cluster.file}: {what} is {wanted!r}, but the cluster was made with {was!r}",
                hint=f"write {was!r}; this value cannot change in a running cluster",
            )
    _check_members(cluster, state)
    was = state.immutable.get("network")
    if was is not None and was != cluster.network.name:
        raise Refused(
            f"{cluster.file}: the network is {cluster.network.name!r}, but the cluster was made with {was!r}",
            hint="changing the network is not supported yet; remove the cluster and recreate it",
        )
    check_version(cluster, state.immutable.get(KEPT_AS, ""))


def renamed(cluster: Cluster, state: State) -> Iterator[Finding]:
    """Tell of another name at once: a lost state is found again by the name that it was made with."""
    was = state.immutable.get("name")
    if was is not None and was != cluster.name:
        message = f"cluster_name is {cluster.name!r}, and the state is of {was!r}"
        hint = f"write {was!r}: a state that is lost is found again by that name"
        yield Finding(node="", check="name", message=message, hint=hint, warning=True)


def _check_members(cluster: Cluster, state: State) -> None:
    """Refuse other addresses of etcd members: the others know each by the one that it joined with."""
    known = {name: record.internal_address for name, record in state.nodes.items()}
    moved = [
        f"{node.name}: {node.internal_address}, not {known[node.name]}"
        for node in cluster.with_role("etcd")
        if known.get(node.name, "") not in ("", node.internal_address)
    ]
    if moved:
        raise Refused(
            f"{cluster.file}: the address that the other members know a node by changed: {'; '.join(moved)}",
            hint="write the former one as internal_address; a member's address cannot change yet",
        )
