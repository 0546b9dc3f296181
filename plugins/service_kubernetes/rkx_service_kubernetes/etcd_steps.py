"""How members of etcd change without a loss: pure, decided from what was applied and what members answer.

Where nothing was applied a new cluster begins, whoever is silent; where anything was, silence proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

import rkx
from rkx_service_kubernetes import etcd
from rkx_service_kubernetes.etcd_members import Member, is_etcd, members, with_container

GROUP = "etcd"
DISTURBING = (rkx.action.ReplaceContainer, rkx.action.RestartContainer)
"""Actions that take a running member away for a moment."""


class _EtcdView(msgspec.Struct, frozen=True, kw_only=True):
    """What is known at plan time: ``known`` nodes had a member, ``now`` are those that the cluster lists."""

    cluster: rkx.Cluster
    changes: Mapping[str, rkx.action.ContainerAction]
    known: set[str]
    now: Mapping[str, Member]
    queries: tuple[rkx.step.NodeRequest, ...]

    def of(self, *kinds: type[rkx.action.ContainerAction]) -> list[str]:
        """Name the nodes whose etcd is changed in one of these ways."""
        return sorted(node for node, change in self.changes.items() if isinstance(change, kinds))

    def listed(self, node: str) -> Member | None:
        """Find a node's member in the list, by the address that it is known by."""
        url = etcd.peer_url(self.cluster.node(node))
        return next((member for member in self.now.values() if member.url == url), None)

    def is_new(self, node: str) -> bool:
        """Return whether a member would be added: the list decides, and without it what was applied."""
        return self.listed(node) is None if self.now else node not in self.known

    def update(self, node: str, *, before: str = "", after: str = "", also: Sequence[str] = ()) -> rkx.NodeUpdate:
        """Put steps around the changes of a node, and of others that go with it."""
        reason = self.changes[node].reason

        def step(verb: str) -> tuple[rkx.step.Step, ...]:
            return (rkx.step.Step(verb=verb, subject=node, reason=reason, queries=self.queries),) if verb else ()

        keys = tuple(etcd.key(name) for name in (node, *also))
        return rkx.NodeUpdate(group=GROUP, node=node, pre_steps=step(before), keys=keys, post_steps=step(after))


def updates(
    cluster: rkx.Cluster,
    applied: Sequence[rkx.ContainerKey],
    changes: Sequence[rkx.action.ContainerAction],
    responses: rkx.step.Responses,
) -> list[rkx.NodeUpdate | rkx.RolloutGroup]:
    """Let members change one after the other: first what is refused, then those that come back, then the others."""
    world = _EtcdView(
        cluster=cluster,
        changes={change.key.node: change for change in changes if is_etcd(change.key)},
        known=with_container(applied),
        now=members(responses),
        queries=tuple(responses),
    )
    if not world.known and not world.now:
        return []
    found = [*_refused(world), *_others(world)]
    return [rkx.RolloutGroup(name=GROUP), *found] if found else []


def decide(step: rkx.step.Step, responses: rkx.step.Responses) -> rkx.step.Verdict:
    """Decide what a step needs next."""
    now = members(responses)
    me = now.get(step.subject)
    match step.verb:
        case "guard":
            return _guard(step.subject, me, now)
        case "repair":
            return _repair(step.subject, me, now)
        case "healthy":
            return rkx.step.Done() if me and me.serves else rkx.step.Wait(why=f"{step.subject} does not serve yet")
        case "join":
            return _join(step.subject)
        case "leave":
            return _leave(step.subject)
    return rkx.step.Refuse(why=f"etcd knows no step {step.verb!r}")


def _refused(world: _EtcdView) -> Iterator[rkx.NodeUpdate]:
    for node in world.of(rkx.action.CreateContainer):
        if world.is_new(node):
            yield world.update(node, before="join")
    for node in world.of(rkx.action.RemoveContainer):
        yield world.update(node, before="leave")


def _others(world: _EtcdView) -> Iterator[rkx.NodeUpdate]:
    total = len(world.now) or len(world.known)
    if total < 2:
        return
    coming = [
        *world.of(rkx.action.StartContainer),
        *(node for node in world.of(rkx.action.CreateContainer) if not world.is_new(node)),
    ]
    yield from _coming(world, coming, total)
    for node in world.of(*DISTURBING):
        yield world.update(node, before="guard", after="healthy")


def _coming(world: _EtcdView, coming: list[str], total: int) -> Iterator[rkx.NodeUpdate]:
    """Bring back what is stopped or was deleted.

    Without these members there may be no majority, and none of them serves alone: then they go together. Else a
    container that is recreated waits for the majority: it tells a member whose data is lost that it is not a founder.
    """
    if coming and total - len(coming) < total // 2 + 1:
        yield world.update(coming[0], also=coming[1:])
        return
    for node in coming:
        member = world.listed(node)
        is_started = isinstance(world.changes[node], rkx.action.StartContainer)
        awaited = is_started or (member is not None and not member.started)
        yield world.update(node, before="" if awaited else "repair", after="" if awaited else "healthy")


def _guard(name: str, me: Member | None, now: Mapping[str, Member]) -> rkx.step.Verdict:
    """Let a voter go only while enough others serve.

    One or two voters cannot do without a short break: then all others must serve. Where others answer and none of them
    knows a leader, a member that is silent as well takes nothing away.
    """
    if not now:
        return rkx.step.Refuse(
            why=f"no member of etcd answers: nothing proves that the others can do without {name}",
            hint="bring etcd up on its nodes, then run rkx up again; remove and recreate a cluster that never worked",
        )
    if me is None or me.learner:
        return rkx.step.Done()
    others = _voters(now, me)
    needed = min((len(others) + 1) // 2 + 1, len(others))
    up, serving = sum(member.up for member in others), sum(member.serves for member in others)
    if serving >= needed or (not me.up and up and not serving):
        return rkx.step.Done()
    if up >= needed:
        return rkx.step.Wait(why="the members of etcd know no leader yet")
    return rkx.step.Refuse(
        why=f"without {name} {up} of {len(others)} members of etcd would serve, {needed} are needed",
        hint="bring the other members up, then run rkx up again",
    )


def _repair(name: str, me: Member | None, now: Mapping[str, Member]) -> rkx.step.Verdict:
    """Let a member come back once the majority serves that knows it."""
    if not now:
        return rkx.step.Wait(why=f"no other member of etcd answers {name}")
    if me is None:
        return _join(name)
    serving = sum(member.serves for member in _voters(now, me))
    if serving >= (len(_voters(now, me)) + 1) // 2 + 1:
        return rkx.step.Done()
    return rkx.step.Wait(why=f"{serving} other members of etcd serve, fewer than a majority")


def _voters(now: Mapping[str, Member], me: Member) -> list[Member]:
    return [member for member in now.values() if not member.learner and member is not me]


def _join(name: str) -> rkx.step.Verdict:
    """Refuse: a member that starts on its own beside an existing cluster would found a second one."""
    return rkx.step.Refuse(
        why=f"{name} would become a new member of an existing etcd, which is not supported yet",
        hint=f"take the role etcd from {name} in cluster.yml; or, if this cluster never worked, remove and recreate it "
        "with all members",
    )


def _leave(name: str) -> rkx.step.Verdict:
    """Refuse: a member that vanishes still counts for the majority."""
    return rkx.step.Refuse(
        why=f"{name} carries a member of etcd, and removing members of etcd is not supported yet",
        hint=f"keep {name} with the role etcd in cluster.yml",
    )
