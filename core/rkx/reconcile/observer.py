"""Observe the nodes: what each shows, which may be left out, and what of it must stop a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rkx.errors import BadAnswer, PreflightFailed, Refused, RkxError
from rkx.model.checks import Finding
from rkx.model.cluster import Cluster
from rkx.reconcile.context import Context
from rkx.reconcile.machine_identity import doubts, refuse_twins, replaced, tell
from rkx.reconcile.node import NodeProgram
from rkx.reconcile.node_image import image_tag
from rkx.reconcile.observation import Observation
from rkx.reconcile.observe import observe
from rkx.reconcile.preflight import refuse_other_clusters
from rkx.reconcile.seen import SeenNode
from rkx.reconcile.state_copy_rules import judge_copy


class Observer:
    """What was seen of each node, and who is away. One thread drives it.

    ``doubtful`` names nodes that may be other machines than before, ``replaced`` those that are, as the operator said.
    """

    def __init__(
        self, context: Context, *, unreachable: Mapping[str, RkxError], findings: Iterable[Finding] = ()
    ) -> None:
        self._context = context
        self.nodes: dict[str, SeenNode] = {}
        self.unreachable, self.findings = {**unreachable}, [*findings]
        self.doubtful: frozenset[str] = frozenset()
        self.replaced: frozenset[str] = frozenset()

    def look(self, names: Iterable[str] | None = None) -> None:
        """Observe nodes again; all of them unless named."""
        context, seen = self._context, dict[str, SeenNode]()
        links, key = context.connections.links, context.state.key
        asked = [*links] if names is None else [*names]
        lost = context.connections.each(asked, lambda name: seen.update({name: observe(links[name], key)}))
        self.unreachable |= lost
        judge_lost(lost, context.cluster, context.allowed_unreachable)
        self.remember({**self.nodes, **seen})

    def remember(self, nodes: Mapping[str, SeenNode]) -> None:
        """Keep what was seen of the nodes that are connected."""
        context = self._context
        links, programs = context.connections.links, context.programs
        self.nodes = {name: nodes[name] for name in links}
        for name in programs.keys() - links.keys():
            del programs[name]
        for name, each in self.nodes.items():
            architecture = each.facts.architecture
            if name not in programs or programs[name].architecture != architecture:
                programs[name] = NodeProgram(links[name], context.cluster.id, architecture)

    def judge_copies(self) -> None:
        """Judge what lies on each node as a copy of the state, as far as it was seen; Refused where it is newer."""
        for name, seen in self.nodes.items():
            if seen.copy is not None:
                for finding in judge_copy(self._context, name, seen.copy):
                    self._tell(finding)

    def _tell(self, finding: Finding) -> None:
        if finding not in self.findings:
            self.findings.append(finding)

    def check_machines(self, replacing: frozenset[str] = frozenset()) -> None:
        """Refuse machines of another cluster, or under two names; one in doubt is asked before it is changed.

        A node that leaves, or may be away, is left out instead: it holds up no other.
        """
        context, before = self._context, {*self.nodes}
        for name, doubt in doubts(self.nodes, context.state).items():
            if name in context.optional - replacing:
                self._leave_out(name, Refused(doubt.message, hint=f"rkx up --replace {name}, if it is gone for good"))
            else:
                self._tell(tell(doubt))
                self.doubtful |= {name}
        self._leave_out_strangers()
        refuse_other_clusters(self.nodes, context.cluster.id)
        checked = {name: seen for name, seen in self.nodes.items() if name not in context.allowed_unreachable}
        refuse_twins(checked, context.state, context.state.nodes.keys() - before)

    def _leave_out_strangers(self) -> None:
        for name in self._context.optional & self.nodes.keys():
            try:
                refuse_other_clusters({name: self.nodes[name]}, self._context.cluster.id)
                image_tag(self.nodes[name].facts.architecture)
            except (Refused, PreflightFailed) as error:
                self._leave_out(name, error)

    def replace(self, names: frozenset[str]) -> None:
        """Forget what was known of machines that others take the place of, as the operator said."""
        self.replaced = replaced(names, self.nodes, self._context.store, self._context.cluster)

    def leave_out(self, name: str, why: RkxError) -> bool:
        """Go on without a node, and tell why; False where it holds up the others, or ``why`` is a bug."""
        if name not in self._context.optional or why.exit_code == RkxError.exit_code:
            return False
        if name in self.nodes:
            self._leave_out(name, why)
        return name in self.unreachable

    def leave_out_bad(self, name: str, why: RkxError) -> bool:
        """Go on without a node that answered what cannot be, as ``leave_out`` does; what only failed is a failure."""
        return isinstance(why, BadAnswer) and self.leave_out(name, why)

    def _leave_out(self, name: str, why: RkxError) -> None:
        self.unreachable[name] = why
        message = f"left as it is: {why.message.removeprefix(f'{name}: ')}"
        self.findings.append(Finding(node=name, check="left out", message=message, hint=why.hint, warning=True))
        self._context.connections.drop(name)
        del self.nodes[name], self._context.programs[name]

    def observation(self) -> Observation:
        """Return what is known of the nodes as one value."""
        return Observation(
            nodes=self.nodes,
            replaced=self.replaced,
            unreachable=tuple(sorted(self.unreachable)),
            findings=tuple(self.findings),
        )


def judge_lost(lost: Mapping[str, RkxError], cluster: Cluster, allowed_unreachable: frozenset[str]) -> None:
    """Raise the RkxError of nodes that are away, unless the run goes on without them."""
    fatal = [error for name, error in lost.items() if not _may_lose(name, error, cluster, allowed_unreachable)]
    if len(fatal) == 1:
        raise fatal[0]
    if fatal:
        first = fatal[0]
        raise type(first)("; ".join(error.message for error in fatal), hint=first.hint)


def _may_lose(name: str, error: RkxError, cluster: Cluster, allowed_unreachable: frozenset[str]) -> bool:
    """Return whether the others go on without a node: one that leaves may be of no use, but silent only if allowed."""
    leaves = all(node.name != name for node in cluster.nodes)
    return name in allowed_unreachable or (leaves and isinstance(error, BadAnswer))
