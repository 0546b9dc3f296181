"""Find a lost state again: a copy lies on every control plane and etcd node; never a second CA over the first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rkx.engine.link import Link
from rkx.engine.node import read_copy
from rkx.engine.state import State
from rkx.engine.state_file import StateFile
from rkx.errors import Refused
from rkx.model.cluster import Cluster


def recover(links: Mapping[str, Link], cluster: Cluster, state_file: StateFile) -> State | None:
    """Give the newest copy on the nodes; None for a cluster not yet born; Refused if one runs and no copy is left.

    Every node that would keep a copy must answer: one that is silent may hold the only one.
    """
    _refuse_rke(cluster, state_file.path)
    silent = [n.name for n in cluster.nodes if n.roles & {"controlplane", "etcd"} and n.name not in links]
    if silent:
        raise Refused(
            f"{state_file.path} is missing, and {', '.join(silent)}, which may hold a copy of it, cannot be reached",
            hint="bring these nodes or the state file back first",
        )
    copies = [copy for link in links.values() if (copy := read_copy(link)) is not None]
    if copies:
        return _own(copies, cluster)
    marked = [f"{link.name} ({names})" for link in links.values() if (names := _marked(link))]
    if marked:
        raise Refused(
            f"{state_file.path} is missing, yet containers of a cluster made by rkx are on {', '.join(marked)}, and no"
            " copy of its state was found",
            hint="bring the state file back from a backup, or use other machines: new authorities would cut it off",
        )
    return None


def _own(copies: Sequence[State], cluster: Cluster) -> State:
    """Give the newest copy, if all are of this cluster."""
    names = sorted({state.birth.get("name", "") for state in copies} - {"", cluster.name})
    if names or len({state.cluster_id for state in copies}) > 1:
        others = ", ".join(names) or "two clusters"
        raise Refused(
            f"{cluster.file}: cluster {cluster.name!r} has no state here, and its nodes carry that of {others}",
            hint="use other machines; or, if it is that cluster, write its name as cluster_name",
        )
    return max(copies, key=lambda state: state.generation)


def _refuse_rke(cluster: Cluster, path: Path) -> None:
    rke = Path(cluster.file).with_suffix(".rkestate") if cluster.file else path.with_suffix(".rkestate")
    if rke.exists():
        raise Refused(
            f"{rke} is the state of a cluster that RKE made",
            hint="taking over RKE's clusters is not offered yet; "
            "move the file away only if that cluster is gone: it may be the only copy of its CA",
        )


def _marked(link: Link) -> str:
    """Name the containers on a node that rkx made for a cluster."""
    with link.docker() as client:
        found = client.containers(all=True, filters={"label": "rkx.cluster"})
    return ", ".join(sorted(row["Names"][0].lstrip("/") for row in found if row.get("Names")))
