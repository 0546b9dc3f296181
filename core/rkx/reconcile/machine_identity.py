"""Is it the machine that it was: Docker's id, the machine's own, and the boot's, together."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import partial

import msgspec
from msgspec.structs import replace

from rkx.errors import ConfigError, Refused
from rkx.model.checks import Finding
from rkx.model.cluster import Cluster
from rkx.model.facts import HostFacts
from rkx.reconcile.members import keeps_lock
from rkx.reconcile.seen import SeenNode
from rkx.reconcile.state import NodeRecord, State
from rkx.reconcile.state_store import StateStore

REPLACE = "bring the machine back; or, if another one takes its place: --replace {name}"


class Doubt(msgspec.Struct, frozen=True, kw_only=True):
    """A node whose Docker has another id than before: its Docker was reinstalled, or it is another machine."""

    node: str
    was: str
    now: str

    @property
    def message(self) -> str:
        """Say it with both ids."""
        return f"{self.node}: Docker's id is {self.now}, not {self.was}"


def in_doubt(record: NodeRecord | None, engine_id: str) -> bool:
    """Return whether a node's Docker has another id than the state knows."""
    return record is not None and record.engine_id not in ("", engine_id)


def doubts(seen: Mapping[str, SeenNode], state: State) -> dict[str, Doubt]:
    """Find the nodes that may be other machines than before."""
    return {
        name: Doubt(node=name, was=state.nodes[name].engine_id, now=node.facts.engine_id)
        for name, node in seen.items()
        if in_doubt(state.nodes.get(name), node.facts.engine_id)
    }


def replaced(
    names: frozenset[str], seen: Mapping[str, SeenNode], store: StateStore, cluster: Cluster
) -> frozenset[str]:
    """Forget what was known of machines that others take the place of; give those of ``names`` that are in doubt.

    Raises ConfigError for a name that no node has, Refused for etcd's: its member would have to leave first.
    """
    for name in sorted(names):
        if name not in store.state.nodes and name not in {node.name for node in cluster.nodes}:
            raise ConfigError(f"--replace {name}: no node has this name", hint="use a node name from cluster.yml")
    others = names & doubts(seen, store.state).keys()
    for name in sorted(others):
        if keeps_lock(name, cluster, store.began):
            raise Refused(
                f"{name}: a machine that keeps the cluster's data cannot be replaced yet: its member stays behind",
                hint="bring the machine back",
            )
        store.note_node(name, partial(_as_new, seen[name].facts.engine_id))
    return others


def _as_new(engine_id: str, record: NodeRecord) -> NodeRecord:
    bare = replace(record, paths=(), former=(), containers=(), facts=None, prepared=False)
    return replace(bare, engine_id=engine_id)


def tell(doubt: Doubt) -> Finding:
    """Say what the run makes of it."""
    message = f"Docker's id is {doubt.now}, not {doubt.was}: Docker was reinstalled, or it is another machine"
    hint = "up asks the machine for its own id before it changes it"
    return Finding(node=doubt.node, check="machine", message=message, hint=hint, warning=True)


def refuse_another(name: str, record: NodeRecord, host: HostFacts) -> None:
    """Raise Refused if a machine is not the one that the state knows."""
    known = record.facts.machine_id if record.facts else ""
    if known and known != host.machine_id:
        raise Refused(
            f"{name}: another machine answers there: its machine id is {host.machine_id}, not {known}",
            hint=REPLACE.format(name=name),
        )


def refuse_twins(seen: Mapping[str, SeenNode], state: State, away: Collection[str] = ()) -> None:
    """Raise Refused if two nodes have one Docker's id: one machine under two names, or one copied from the other.

    Of nodes that are ``away`` the state knows it: else one of the others could take it meanwhile, and keep it.
    """
    for name, node in seen.items():
        for other in away:
            if state.nodes[other].engine_id == node.facts.engine_id:
                raise _taken(name, other, node.facts.engine_id)
    holders: dict[str, str] = {}
    for name, node in seen.items():
        other = holders.setdefault(node.facts.engine_id, name)
        if other != name:
            raise _copy(name, other, seen, state) or _copy(other, name, seen, state) or _twins(name, other, seen, state)


MEND = "on a copied machine delete engine-id in Docker's data folder and restart Docker"


def _copy(name: str, other: str, seen: Mapping[str, SeenNode], state: State) -> Refused | None:
    """Refuse ``name`` alone if its id is another than before, and ``other`` has had this one all along."""
    doubted, record = doubts(seen, state), state.nodes.get(other)
    if name not in doubted or record is None or record.engine_id != doubted[name].now:
        return None
    return Refused(
        f"{doubted[name].message}; it is that of {other}",
        hint=f"{MEND}; --allow-unreachable {name} leaves it aside",
    )


def _taken(name: str, other: str, engine_id: str) -> Refused:
    return Refused(
        f"{name}: Docker's id is {engine_id}; it is that of {other}, which does not answer",
        hint=f"{MEND}; --allow-unreachable {name} leaves it aside",
    )


def _twins(name: str, other: str, seen: Mapping[str, SeenNode], state: State) -> Refused:
    engine_id = seen[name].facts.engine_id
    if _are_two(name, other, seen, state):
        return Refused(f"{name} and {other} are two machines with one Docker id, {engine_id}", hint=MEND)
    return Refused(
        f"{name} and {other} are one machine, or one is a copy: both have Docker's id {engine_id}",
        hint=f"to give a node another name, take it out of cluster.yml first and run up; {MEND}",
    )


def _are_two(name: str, other: str, seen: Mapping[str, SeenNode], state: State) -> bool:
    """Return whether it is certain: host names differ, or what their kernels said of the boot."""
    boots = [boot for each in (name, other) for boot in _boot(state.nodes.get(each))]
    return seen[name].facts.hostname != seen[other].facts.hostname or len(set(boots)) == 2


def _boot(record: NodeRecord | None) -> Iterator[str]:
    if record is not None and record.facts is not None and record.facts.boot_id:
        yield f"{record.facts.machine_id} {record.facts.boot_id}"
