"""Find a lost state again: a copy lies on every control plane and etcd node; never a second CA over the first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from rkx.errors import ConfigError, Refused, TransportError
from rkx.lines import cut
from rkx.model.checks import Finding
from rkx.model.cluster import Cluster
from rkx.reconcile.find_copies import marked, read_anew
from rkx.reconcile.found_authority import Trust, confirm_authority, fingerprint
from rkx.reconcile.found_state import believed
from rkx.reconcile.layout import NAMES, STATE_COPY
from rkx.reconcile.link import Link
from rkx.reconcile.lock import refuse_held
from rkx.reconcile.members import lock_groups
from rkx.reconcile.node import LOCK
from rkx.reconcile.state import State
from rkx.reconcile.state_copies import keepers, read_copy
from rkx.reconcile.state_json import dump

HOW = "bring the state file back from a backup"


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A state that was found on nodes, and what the operator should know of it."""

    state: State
    told: tuple[Finding, ...]


@dataclass(kw_only=True)
class Search:
    """The search for a lost state: on the nodes that cluster.yml makes control plane or etcd, and on no other.

    Only with ``writes`` it may make a container to look through, where rkx-node's was deleted.
    """

    links: Mapping[str, Link]
    cluster: Cluster
    path: Path
    trust: Trust
    writes: bool
    copies: dict[str, State] = field(default_factory=dict)
    damaged: dict[str, ConfigError] = field(default_factory=dict)

    def found(self) -> Found | None:
        """Return the state that all copies hold, as far as copies are believed; None for a new cluster.

        Raises Refused where nodes that may hold one are silent, copies differ or are another cluster's, no one confirms
        their authority, or a cluster runs and no copy is left; Locked where another run
        has begun to make the cluster.
        """
        self._refuse_silent()
        for name in sorted(self._keepers()):
            self._read(name)
        if not self.copies:
            self._refuse_lost()
            return None
        self._refuse_others()
        state = next(iter(self.copies.values()))
        self._refuse_fewer(state)
        if not fingerprint(state):
            self._refuse_running()
        links = [self.links[node.name] for node in self.cluster.with_role("controlplane") if node.name in self.links]
        why = confirm_authority(links, state, self.trust)
        return Found(state=believed(state, self.cluster), told=tuple(self._told(why)))

    def _keepers(self) -> set[str]:
        return keepers(self.cluster) & self.links.keys()

    def _refuse_silent(self) -> None:
        """Every node that would keep a copy must answer: one that is silent may hold the only one."""
        silent = [node.name for node in self.cluster.nodes if node.name in keepers(self.cluster) - self.links.keys()]
        if silent:
            raise Refused(
                f"{self.path} is missing, and {', '.join(silent)}, which may hold a copy of it, cannot be reached",
                hint="bring these nodes or the state file back first",
            )

    def _read(self, name: str) -> None:
        link = self.links[name]
        try:
            copy = read_copy(link)
            if copy is None and self.writes and (names := marked(link)) and NAMES["files"] not in names:
                refuse_held([link])
                copy = read_anew(link)
        except ConfigError as error:
            self.damaged[name] = error
        else:
            if copy is not None:
                self.copies[name] = copy

    def _refuse_fewer(self, state: State) -> None:
        """Refuse to go on without nodes that keep the cluster's lock: a run from elsewhere may hold it there."""
        lockers = {name for group in lock_groups(self.cluster, state) for name in group}
        if missing := sorted(lockers - {node.name for node in self.cluster.nodes}):
            raise Refused(
                f"{self.path} is missing, and the copies of it name {', '.join(missing)} among the nodes that keep the"
                f" cluster's lock, which {self.cluster.file} does not name",
                hint=f"write them into the file; if they are gone for good, copy NODE:{STATE_COPY} to {self.path}",
            )

    def _refuse_lost(self) -> None:
        """Refuse a new cluster where one is: a worker's claim alone stops that worker's own work, not a new cluster."""
        there = {name: names for name in self.links if (names := self._marked(name))}
        if self.damaged:
            messages = "; ".join(error.message for error in self.damaged.values())
            raise Refused(f"{self.path} is missing, and no copy of it is whole: {messages}", hint=HOW)
        if self._keepers() & there.keys():
            refuse_held(self.links[name] for name in sorted(self._keepers()))
            look = "" if self.writes else f"; rkx up looks for {STATE_COPY} where rkx-node's containers were deleted"
            raise Refused(
                f"{self.path} is missing, yet containers of a cluster made by rkx are on {_listed(there)}, and no"
                f" copy of its state was found ({STATE_COPY})",
                hint=f"{HOW}, or use other machines: new authorities would cut it off{look}",
            )

    def _refuse_running(self) -> None:
        """Refuse a state without an authority where a cluster runs: a second one must not be made over it."""
        own = {*NAMES.values(), LOCK}
        running = {name: names for name in sorted(self._keepers()) if (names := sorted({*self._marked(name)} - own))}
        if running:
            raise Refused(
                f"the state found on {', '.join(self.copies)} has no authority, yet containers of a cluster made by rkx"
                f" are on {_listed(running)}",
                hint=HOW,
            )

    def _marked(self, name: str) -> list[str]:
        """Name this tool's containers on a node; a worker that shows nothing is judged when it is looked at."""
        try:
            return marked(self.links[name])
        except TransportError:
            if name in self._keepers():
                raise
            return []

    def _refuse_others(self) -> None:
        names = sorted({state.immutable.get("name", "") for state in self.copies.values()} - {"", self.cluster.name})
        if names or len({state.cluster_id for state in self.copies.values()}) > 1:
            others = ", ".join(names) or "two clusters"
            raise Refused(
                f"{self.cluster.file}: cluster {self.cluster.name!r} has no state here, and its nodes carry that of"
                f" {others}",
                hint="use other machines; or, if it is that cluster, write its name as cluster_name",
            )
        if len({dump(state) for state in self.copies.values()}) > 1:
            said = "; ".join(
                f"{name}: generation {state.generation}, authority {fingerprint(state) or 'none'}"
                for name, state in self.copies.items()
            )
            raise Refused(
                f"{self.path} is missing, and the copies of it on the nodes differ: {said}",
                hint=f"{HOW}; or copy the one that you trust from NODE:{STATE_COPY} to {self.path}",
            )

    def _told(self, why: str) -> list[Finding]:
        from_nodes = ", ".join(self.copies)
        message = f"{self.path} was missing; the state was found on {from_nodes}: {why}"
        damaged = [
            Finding(node=name, check="state", message=f"its copy of the state is ignored: {e.message}", warning=True)
            for name, e in self.damaged.items()
        ]
        return [Finding(node="", check="state", message=message, warning=True), *damaged, *self._further()]

    def _further(self) -> Iterator[Finding]:
        """Name nodes that copies alone know: they are not connected to."""
        known = {name for state in self.copies.values() for name in state.nodes}
        if further := sorted(known - {node.name for node in self.cluster.nodes}):
            message = f"it names nodes that {self.cluster.file} does not, and they are left alone: {', '.join(further)}"
            hint = "to take them down, write them into the file, then take them out with the next up"
            yield Finding(node="", check="state", message=message, hint=hint, warning=True)


def refuse_rke(cluster: Cluster, path: Path) -> None:
    """Raise Refused where RKE's own state lies beside the file: it may be the only copy of a cluster's CA."""
    rke = Path(cluster.file).with_suffix(".rkestate") if cluster.file else path.with_suffix(".rkestate")
    if rke.exists():
        raise Refused(
            f"{rke} is the state of a cluster that RKE made",
            hint="taking over RKE's clusters is not supported yet; "
            "move the file away only if that cluster is gone: it may be the only copy of its CA",
        )


def _listed(there: Mapping[str, Sequence[str]]) -> str:
    return ", ".join(f"{name} ({cut(', '.join(names))})" for name, names in there.items())
