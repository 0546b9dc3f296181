"""Laws for steps, which touch what cannot be made again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from rkx.model.action import (
    ContainerAction,
    CreateContainer,
    RemoveContainer,
    ReplaceContainer,
    RestartContainer,
    StartContainer,
)
from rkx.model.cluster import Cluster
from rkx.model.key import ContainerKey
from rkx.model.resource import Container
from rkx.model.step import Do, Done, NodeResponse, Responses, Step
from rkx.model.update import NodeUpdate, RolloutGroup, keys_of
from rkx.reconcile.rollout import Rollout
from rkx.reconcile.updates import check
from rkx.testing.conformance.subject import Case, Subject

STAGES = ("service",)
HOOK = "rkx_step"
CHANGES = (CreateContainer, ReplaceContainer, StartContainer, RestartContainer)


def test_silence_proves_nothing(subject: Subject) -> None:
    """A step that asks is not done without an answer, nor does it act then."""
    for step, verdict in _verdicts(subject):
        said = f"{step.verb} {step.subject}: {verdict}, without any answer"
        assert not isinstance(verdict, Done | Do), said


def test_updates_stand_in_groups_that_there_are(subject: Subject) -> None:
    """Groups have names of their own and no circle; an update is in one of them, and claims what no other does."""
    for _, groups, updates in _rollouts(subject):
        check(groups, updates)


def test_updates_concern_nodes_of_the_cluster_and_what_the_plugin_describes(subject: Subject) -> None:
    """Nothing is claimed, and no step of core taken, but of nodes and containers that there are."""
    for case, found in subject.described:
        described = {each.key for each in found if isinstance(each, Container)}
        names = {node.name for node in case.cluster.nodes}
        for _, _, updates in _rollouts(subject, case):
            for update in updates:
                assert set(update.keys) <= described
                own = [step for step in (*update.pre_steps, *update.post_steps) if not isinstance(step, Step)]
                assert {update.node, *(step.node for step in own)} <= names


def test_every_width_lets_all_updates_in_and_never_more_at_a_time(subject: Subject) -> None:
    """Whatever a group's ``max_unavailable`` is, each update comes in, and the first failure is the last entry."""
    for _, groups, updates in _rollouts(subject):
        keys = {key for update in updates for key in keys_of(update)}
        for width in range(1, len(updates) + 1):
            wide = [replace(group, max_unavailable=width) for group in groups]
            assert _entered(Rollout(wide, updates, keys), updates, len(groups) * width) == _with_keys(updates)
            failed = Rollout(wide, updates, keys)
            failed.admit()
            failed.failed(keys)
            assert failed.admit() == []


def _with_keys(updates: Sequence[NodeUpdate]) -> int:
    return sum(1 for update in updates if keys_of(update))


def _entered(rollout: Rollout, updates: Sequence[NodeUpdate], most: int) -> int:
    count = 0
    while admitted := rollout.admit():
        assert len(admitted) <= most
        count += len(admitted)
        rollout.done([key for slot in admitted for key in keys_of(updates[slot.number])])
    return count


def _verdicts(subject: Subject) -> Iterator[tuple[Step, object]]:
    for _, _, updates in _rollouts(subject):
        for update in updates:
            for step in (*update.pre_steps, *update.post_steps):
                if isinstance(step, Step) and step.queries:
                    yield step, subject.plugins.step(step, {query: NodeResponse(status=0) for query in step.queries})


Tried = tuple[Sequence[ContainerAction], list[RolloutGroup], list[NodeUpdate]]


def _rollouts(subject: Subject, only: Case | None = None) -> Iterator[Tried]:
    """Return groups and updates of a running cluster, for changes of each kind to all containers, one, and none."""
    for case, found in subject.described:
        if only is None or case == only:
            containers = [each for each in found if isinstance(each, Container)]
            for changes in _changes(containers):
                made = _asked(subject, case.cluster, [each.key for each in containers], changes)
                groups = [each for each in made if isinstance(each, RolloutGroup)]
                yield changes, groups, [each for each in made if isinstance(each, NodeUpdate)]


def _asked(
    subject: Subject, cluster: Cluster, keys: list[ContainerKey], changes: list[ContainerAction]
) -> list[NodeUpdate | RolloutGroup]:
    queries = subject.plugins.queries(cluster, keys, changes)
    silence: Responses = {query: NodeResponse(status=0) for query in queries}
    return subject.plugins.updates(cluster, keys, changes, silence)


def _changes(containers: list[Container]) -> Iterator[list[ContainerAction]]:
    yield []
    for kind in CHANGES:
        yield from _all_and_each([kind(container=each, reason="tried") for each in containers])
    yield from _all_and_each([RemoveContainer(key=each.key, reason="tried") for each in containers])


def _all_and_each(changes: list[ContainerAction]) -> Iterator[list[ContainerAction]]:
    yield changes
    yield from ([each] for each in changes)
