"""Immutable values of a cluster: kept in the state since its creation; a change of one is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from rkx.errors import Refused
from rkx.model.checks import Finding
from rkx.model.cluster import Cluster
from rkx.model.resource import Container
from rkx.reconcile.desired import Desired, containers
from rkx.reconcile.seen import SeenNode
from rkx.reconcile.state import State

FIXED = {"pod_cidr": "the range of pods", "service_cidr": "the range of services", "dns_domain": "the DNS domain"}


def births(cluster: Cluster) -> dict[str, str]:
    """Return the immutable values of a new cluster."""
    fixed = {name: str(getattr(cluster, name)) for name in FIXED}
    return {**fixed, "network": cluster.network.name, "name": cluster.name}


def check_births(cluster: Cluster, state: State) -> None:
    """Raise Refused for what would break the running cluster: other ranges, domain or network, a skipped minor."""
    for name, what in FIXED.items():
        was, wanted = state.birth.get(name), str(getattr(cluster, name))
        if was is not None and was != wanted:
            raise Refused(
                f"{cluster.file}: {what} is {wanted!r}, but the cluster was made with {was!r}",
                hint=f"write {was!r}; this value cannot change in a running cluster",
            )
    _check_members(cluster, state)
    was = state.birth.get("network")
    if was is not None and was != cluster.network.name:
        raise Refused(
            f"{cluster.file}: the network is {cluster.network.name!r}, but the cluster was made with {was!r}",
            hint="changing the network is not supported yet; remove the cluster and recreate it",
        )
    _check_version(cluster, state.birth.get("kubernetes_version", ""))


def renamed(cluster: Cluster, state: State) -> Iterator[Finding]:
    """Tell of another name at once: a lost state is found again by the name that it was made with."""
    was = state.birth.get("name")
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
        hint=f"upgrades of a running cluster are not supported yet; write {was}",
    )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])


def check_data(desired: Desired, seen: Mapping[str, SeenNode], state: State) -> None:
    """Refuse to start an empty cluster where data is gone, or to start on data that this cluster never wrote.

    It is about containers with bootstrap arguments: started on an empty folder they begin an empty cluster.
    """
    born = [c for c in containers(desired.resources.values()) if c.bootstrap_args and c.node in seen]
    for container in born:
        _refuse_strange(container, seen[container.node], state)
    for name in sorted({container.name for container in born}):
        _refuse_lost([c for c in born if c.name == name], seen, state)


def _refuse_strange(container: Container, node: SeenNode, state: State) -> None:
    record = state.nodes.get(container.node)
    if record is not None and container.name in record.containers:
        return
    for folder, filled in _folders(container, node):
        if filled:
            raise Refused(
                f"{container.node}: {folder} of {container.name} holds data that this cluster did not write",
                hint="bring the state of the cluster that wrote it, or move the data away",
            )


def _refuse_lost(members: list[Container], seen: Mapping[str, SeenNode], state: State) -> None:
    """The other members restore one that lost its data; when all are empty, no data is left to restore from."""
    known = [c for c in members if c.name in (state.nodes[c.node].containers if c.node in state.nodes else ())]
    stopped = [c for c in known if getattr(seen[c.node].containers.get(c.name), "state", "") != "running"]
    empty = [(c, folder) for c in stopped for folder, filled in _folders(c, seen[c.node]) if not filled]
    if state.objects and known and {c.node for c, _ in empty} == {c.node for c in known}:
        container, folder = empty[0]
        raise Refused(
            f"{container.node}: {folder} of {container.name} is empty: the cluster's data is gone",
            hint="is its disk mounted? Bring the data back; without it only rkx remove, and a new cluster, are left",
        )


def _folders(container: Container, node: SeenNode) -> Iterator[tuple[str, bool]]:
    """Return the guarded folders that a container mounts, and whether they hold something."""
    guarded = node.layout.guard if node.layout else ()
    for mount in container.mounts:
        if mount.source in guarded and mount.source in node.files:
            yield mount.source, node.files[mount.source].filled
