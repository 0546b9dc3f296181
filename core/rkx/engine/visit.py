"""One visit to the cluster's nodes: open ways to them, the state, what was seen, and what is wanted of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial

from rkx.engine.birth import births, check_births, renamed
from rkx.engine.desire import Desired, desire, without
from rkx.engine.early import AT_ONCE
from rkx.engine.glance import Glance
from rkx.engine.ledger import Ledger
from rkx.engine.link import Link
from rkx.engine.machines import doubts, refuse_twins, replaced, tell
from rkx.engine.members import all_keepers, departed, node_of
from rkx.engine.node import NodeProgram, image_tag
from rkx.engine.objects import API, ClusterApi
from rkx.engine.observe import SeenNode, observe
from rkx.engine.preflight import refuse_other_clusters
from rkx.engine.recover import Search, refuse_rke, settled
from rkx.engine.relay import Relays
from rkx.engine.state import Mark, NodeRecord, State, born
from rkx.engine.state_file import StateFile
from rkx.engine.vouch import Trust
from rkx.errors import BadAnswer, ConnectFailed, PreflightFailed, Refused, RkxError, TransportError
from rkx.model.checks import Finding
from rkx.model.cluster import Cluster
from rkx.model.facts import Facts
from rkx.model.node import Node
from rkx.model.resource import File, Folder
from rkx.registry import Plugins
from rkx.transport import Transport

Open = Callable[[Node], Transport]


@dataclass(kw_only=True)
class Visit:
    """Open connections and what was seen; ``close`` ends it. One thread drives it.

    With ``objects`` false nobody will compare the cluster's objects. ``fresh`` tells that no state was here before.
    """

    cluster: Cluster
    plugins: Plugins
    open_transport: Open
    state_file: StateFile
    allowed_unreachable: frozenset[str] = frozenset()
    replacing: frozenset[str] = frozenset()
    trust: Trust = field(default_factory=Trust)
    links: dict[str, Link] = field(default_factory=dict)
    programs: dict[str, NodeProgram] = field(default_factory=dict)
    seen: dict[str, SeenNode] = field(default_factory=dict)
    unreachable: dict[str, RkxError] = field(default_factory=dict)
    ledger: Ledger = field(init=False)
    api: ClusterApi = field(init=False)
    glance: Glance | None = None
    writes: bool = False
    objects: bool = True
    told: list[Finding] = field(default_factory=list)
    doubtful: frozenset[str] = frozenset()
    replaced: frozenset[str] = frozenset()
    fresh: bool = False
    _unsettled: bool = False
    _glancing: threading.Lock = field(default_factory=threading.Lock)

    def begin(self) -> None:
        """Read the state, connect to every node, and look at each; a lost state is found again on the nodes."""
        state = self.state_file.load()
        self.fresh = state is None
        nodes = {node.name: node for node in self.cluster.nodes}
        if state is not None:
            nodes |= {name: node_of(name, record) for name, record in state.nodes.items() if name not in nodes}
            self._open(state)
        self._reach(nodes.values(), look=state is not None)
        if state is None:
            self._open(self._found() or born())
        if self.seen:
            self._remember(self.seen)
        else:
            self.look()
        self._check_machines()
        self.judge_copies()
        check_births(self.cluster, self.ledger.state)
        self.told += renamed(self.cluster, self.ledger.state)
        self.replaced = replaced(self.replacing, self.seen, self.ledger, self.cluster)

    def _found(self) -> State | None:
        """Look for a lost state on the nodes that cluster.yml names; no copy says which others there are."""
        refuse_rke(self.cluster, self.state_file.path)
        search = Search(
            links=self.links, cluster=self.cluster, path=self.state_file.path, trust=self.trust, writes=self.writes
        )
        found = search.found()
        if found is None:
            return None
        self.told += found.told
        self._unsettled = True
        return found.state

    def judge_copies(self) -> None:
        """Judge what lies on each node as a copy of the state, as far as it was seen."""
        for name, seen in self.seen.items():
            if seen.copy is not None:
                self._judge_copy(name, seen.copy)

    def _judge_copy(self, name: str, said: Mark) -> None:
        """Refuse an older state than a node's copy; what is no copy of this state, or has none to show, is told."""
        if name not in all_keepers(self.cluster, self.ledger.began):
            why = "by its roles this node keeps none"
        elif said.is_of(self.ledger.state) or said.cluster_id != self.cluster.id:
            self.refuse_older(name, said)  # another cluster's is refused before anything is written there
            return
        else:
            why = "this cluster's state did not seal it"
        message = f"what lies there as a copy of the state is passed over: {why}"
        hint = "look who put it there"
        finding = Finding(node=name, check="state", message=message, hint=hint, warning=True)
        if finding not in self.told:
            self.told.append(finding)

    def _open(self, state: State) -> None:
        self.ledger = Ledger(state, self.state_file if self.writes else None)
        self.cluster = replace(self.cluster, id=state.cluster_id)
        self.api = self._api()

    def _reach(self, nodes: Iterable[Node], *, look: bool) -> None:
        """Connect to every node, and look at each as soon as it is there, if the key of its digests is known."""
        wanted = {node.name: node for node in nodes}

        def arrive(name: str) -> None:
            link = self._connect(wanted[name])
            if look:
                self._glance_through(link)
                self.seen[name] = observe(link, self.ledger.state.key)

        before = [*self.links]
        self._on_each(wanted, arrive)
        self.links = {name: self.links[name] for name in [*before, *wanted] if name in self.links}

    def _on_each(self, names: Iterable[str], work: Callable[[str], None]) -> None:
        """Work on nodes side by side; one that is lost over it is unreachable."""

        def one(name: str) -> RkxError | None:
            try:
                work(name)
            except (TransportError, OSError) as error:
                if lost := self.links.pop(name, None):
                    with suppress(OSError):
                        lost.close()
                return _named(name, error)
            return None

        with ThreadPoolExecutor(AT_ONCE) as pool:
            asked = {name: pool.submit(one, name) for name in names}
        lost = {name: error for name, done in asked.items() if (error := done.result()) is not None}
        self.unreachable |= lost
        self._judge_lost(lost)

    def _glance_through(self, link: Link) -> None:
        """Begin to read the objects through the first control plane node that is there; a relay is no way to look."""
        expected = [each for each in self.ledger.state.objects.values() if each.kind != "Node"]
        through = {node.name for node in self.cluster.with_role("controlplane")}
        if not self.objects or not expected or link.name not in through:
            return
        with suppress(TransportError, OSError):  # nobody answers there: the plan tells of a silent API
            if not link.is_narrow(API):
                with self._glancing:
                    self.glance = self.glance or Glance(self.api, expected)

    def _connect(self, node: Node) -> Link:
        relays = Relays() if self.writes else None  # a relay starts a container, which a plan never does
        link = Link(node.name, self.open_transport(node), relays)
        try:
            link.api_version()
        except BaseException:
            link.close()
            raise
        self.links[node.name] = link
        return link

    def _check_machines(self) -> None:
        """Refuse machines of another cluster, or under two names; one in doubt is asked before it is changed.

        A node that leaves, or may be away, is left out instead: it holds up no other.
        """
        state = self.ledger.state
        for name, doubt in doubts(self.seen, state).items():
            if name in self.optional - self.replacing:
                self._leave_out(name, Refused(doubt.message, hint=f"rkx up --replace {name}, if it is gone for good"))
            else:
                self.told.append(tell(doubt))
                self.doubtful |= {name}
        for name in self.optional & self.seen.keys():
            try:
                refuse_other_clusters({name: self.seen[name]}, self.cluster.id)
                image_tag(self.seen[name].facts.architecture)
            except (Refused, PreflightFailed) as error:
                self._leave_out(name, error)
        refuse_other_clusters(self.seen, self.cluster.id)
        refuse_twins({n: s for n, s in self.seen.items() if n not in self.allowed_unreachable}, state)

    @property
    def optional(self) -> frozenset[str]:
        """Name the nodes that hold up no other: those that leave, and those that may be away."""
        return self.allowed_unreachable | (self.ledger.state.nodes.keys() - {node.name for node in self.cluster.nodes})

    def leave_out(self, name: str, why: RkxError) -> bool:
        """Go on without a node, and tell why; False where it holds up the others, or ``why`` is a bug."""
        if name not in self.optional or why.exit_code == RkxError.exit_code:
            return False
        if name in self.seen:
            self._leave_out(name, why)
        return name in self.unreachable

    def leave_bad(self, name: str, why: RkxError) -> bool:
        """Go on without a node that answered what cannot be, as ``leave_out`` does; what only failed is a failure."""
        return isinstance(why, BadAnswer) and self.leave_out(name, why)

    def _leave_out(self, name: str, why: RkxError) -> None:
        self.unreachable[name] = why
        message = f"left as it is: {why.message.removeprefix(f'{name}: ')}"
        self.told.append(Finding(node=name, check="left out", message=message, hint=why.hint, warning=True))
        with suppress(OSError):
            self.links.pop(name).close()
        del self.seen[name], self.programs[name]

    def refuse_older(self, name: str, said: Mark) -> None:
        """Refuse a state that a run from elsewhere has left behind, or does not know of: so says a sealed copy."""
        state = self.ledger.state
        if not said.is_of(state):
            return
        newer = "the newer one is taken from the nodes, and its authority shown and checked"
        if said.generation > state.generation:
            raise Refused(
                f"{self.state_file.path}: generation {state.generation} is older than {said.generation} on {name}",
                hint=f"move the file away: {newer}",
            )
        if said.run != state.run and said.number >= state.number:
            raise Refused(
                f"{self.state_file.path}: run {state.run or 'unknown'} wrote it, and {name} has a copy of run"
                f" {said.run or 'unknown'}, which did not know of that",
                hint=f"two computers changed the cluster; to go on with what that run did, move the file away: {newer}",
            )

    def _judge_lost(self, lost: Mapping[str, RkxError]) -> None:
        fatal = [error for name, error in lost.items() if not self._may_lose(name, error)]
        if len(fatal) == 1:
            raise fatal[0]
        if fatal:
            first = fatal[0]
            raise type(first)("; ".join(error.message for error in fatal), hint=first.hint)

    def _may_lose(self, name: str, error: RkxError) -> bool:
        """Tell if the others go on without a node: one that leaves may be of no use, but silent only if allowed."""
        leaves = all(node.name != name for node in self.cluster.nodes)
        return name in self.allowed_unreachable or (leaves and isinstance(error, BadAnswer))

    def look(self) -> None:
        """Observe every node again."""
        seen: dict[str, SeenNode] = {}
        self._on_each([*self.links], lambda name: seen.update({name: observe(self.links[name], self.ledger.state.key)}))
        self._remember(seen)

    def _remember(self, seen: Mapping[str, SeenNode]) -> None:
        self.seen = {name: seen[name] for name in self.links}
        for name in self.programs.keys() - self.links.keys():
            del self.programs[name]
        for name, each in self.seen.items():
            self.programs[name] = NodeProgram(self.links[name], self.cluster.id, each.facts.architecture)

    def facts(self) -> Facts:
        """Give each node's facts: the Engine's, and what rkx-node said last."""
        records = self.ledger.state.nodes
        hosts = {name: record.facts for name, record in records.items()}
        return {name: replace(seen.facts, host=hosts.get(name)) for name, seen in self.seen.items()}

    def _api(self) -> ClusterApi:
        names = [node.name for node in self.cluster.with_role("controlplane")]
        return ClusterApi(lambda: [link for name in names if (link := self.links.get(name))], self.ledger)

    def desired(self) -> Desired:
        """Ask the plugins what should be; nodes that leave are asked for what they would leave behind."""
        now = datetime.now(UTC)
        wanted = desire(self.plugins, self.cluster, self.facts(), self.ledger.state, now)
        if self._unsettled:
            self._settle(wanted)
        expected = {name: self.programs[name].expected(layout) for name, layout in wanted.layouts.items()}
        wanted = replace(wanted, programs=expected)
        gone = departed(self.cluster, self.ledger.state, self.seen)
        if not gone:
            return wanted
        former = tuple(node_of(name, self.ledger.state.nodes[name]) for name in gone)
        whole = replace(self.cluster, nodes=(*self.cluster.nodes, *former))
        return replace(
            wanted, leaving=without(desire(self.plugins, whole, self.facts(), self.ledger.state, now), gone).leaving
        )

    def _settle(self, wanted: Desired) -> None:
        """Give a found state the paths that plugins describe: none is taken from a copy."""
        for name, record in self.ledger.state.nodes.items():
            described = {str(each.path) for each in wanted.on(name) if isinstance(each, File | Folder)}
            known = settled(record, described)
            self.ledger.note_node(name, partial(_become, known))
        self._unsettled = False
        self.ledger.save()  # it was lost here: have it again, whatever the run will do

    def remember_nodes(self) -> None:
        """Note in the state which nodes belong to the cluster, before anything is put on them."""
        known = self.ledger.state.nodes
        added = {
            node.name: self._record(node, known.get(node.name)) for node in self.cluster.nodes if node.name in self.seen
        }
        birth = {**births(self.cluster), **self.ledger.state.birth}
        self.ledger.change(lambda state: replace(state, nodes={**state.nodes, **added}, birth=birth))

    def remember_version(self) -> None:
        """Note which Kubernetes version runs now: the next one is judged by it."""
        version = self.cluster.kubernetes_version
        if self.ledger.state.birth.get("kubernetes_version") != version:
            self.ledger.change(lambda state: replace(state, birth={**state.birth, "kubernetes_version": version}))

    def _record(self, node: Node, former: NodeRecord | None) -> NodeRecord:
        base = former or NodeRecord(address="", internal_address="", roles=())
        return replace(
            base,
            address=node.address,
            internal_address=node.internal_address,
            roles=tuple(sorted(node.roles)),
            transport=node.transport,
            options=node.transport_options,
            engine_id=base.engine_id or self.seen[node.name].facts.engine_id,  # another one notes `prepare`
        )

    def close(self) -> None:
        """End all connections."""
        if self.glance is not None:
            self.glance.close()
        if hasattr(self, "api"):
            self.api.close()
        for link in self.links.values():
            with suppress(OSError):
                link.close()


def _become(record: NodeRecord, _former: NodeRecord) -> NodeRecord:
    return record


def _named(node: str, error: TransportError | OSError) -> RkxError:
    """Give the error with the node's name, which is what --allow-unreachable wants."""
    if not isinstance(error, TransportError):
        return ConnectFailed(f"{node}: {error}", node=node)
    message = error.message if node in error.message else f"{node}: {error.message}"
    return type(error)(message, node=node, hint=error.hint)
