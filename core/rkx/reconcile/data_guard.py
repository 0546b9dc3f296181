"""Containers that would begin an empty cluster where one is, or over the data of another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rkx.errors import Refused
from rkx.model.resource import Container
from rkx.reconcile.desired import Desired, containers
from rkx.reconcile.seen import SeenNode
from rkx.reconcile.state import State


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
