"""Laws for steps, which touch what cannot be made again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import PurePosixPath

import msgspec
from msgspec.structs import replace

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
from rkx.model.step import CopyFile, Do, Done, Effect, FileCopied, NodeResponse, Responses, RunTask, Step, TaskResult
from rkx.model.update import NodeUpdate, RolloutGroup, keys_of
from rkx.reconcile.rollout import RolloutQueue
from rkx.reconcile.updates import check
from rkx.testing.conformance.samples import PINNED
from rkx.testing.conformance.subject import Case, Subject

STAGES = ("service",)
HOOK = "rkx_step"
MOST_ROUNDS = 8
MOST_OUTPUT = 32 << 20
CHANGES = (CreateContainer, ReplaceContainer, StartContainer, RestartContainer)


def test_silence_proves_nothing(subject: Subject) -> None:
    """A step that asks is not done without an answer, nor does it act then."""
    for step, verdict in _verdicts(subject):
        said = f"{step.verb} {step.subject}: {verdict}, without any answer"
        assert not isinstance(verdict, Done | Do), said


def test_updates_stand_in_groups_that_there_are(subject: Subject) -> None:
    """Groups have names of their own and no circle; an update is in one of them, and claims what no other does."""
    for tried in _rollouts(subject):
        check(tried.groups, tried.updates)


def test_updates_concern_nodes_of_the_cluster_and_what_the_plugin_describes(subject: Subject) -> None:
    """Nothing is claimed, and no step of core taken, but of nodes and containers that there are."""
    for tried in _rollouts(subject):
        names = {node.name for node in tried.case.cluster.nodes}
        for update in tried.updates:
            assert tried.described.issuperset(update.keys)
            own = [step for step in (*update.pre_steps, *update.post_steps) if not isinstance(step, Step)]
            assert {update.node, *(step.node for step in own)} <= names


def test_every_width_lets_all_updates_in_and_never_more_at_a_time(subject: Subject) -> None:
    """Whatever a group's ``max_unavailable`` is, each update comes in, and the first failure is the last entry."""
    for groups, updates in ((tried.groups, tried.updates) for tried in _rollouts(subject)):
        keys = {key for update in updates for key in keys_of(update)}
        for width in range(1, len(updates) + 1):
            wide = [replace(group, max_unavailable=width) for group in groups]
            assert _entered(RolloutQueue(wide, updates, keys), updates, len(groups) * width) == _with_keys(updates)
            failed = RolloutQueue(wide, updates, keys)
            failed.admit()
            failed.failed(keys)
            assert failed.admit() == []


def _with_keys(updates: Sequence[NodeUpdate]) -> int:
    return sum(1 for update in updates if keys_of(update))


def _entered(rollout: RolloutQueue, updates: Sequence[NodeUpdate], most: int) -> int:
    count = 0
    while admitted := rollout.admit():
        assert len(admitted) <= most
        count += len(admitted)
        rollout.done([key for slot in admitted for key in keys_of(updates[slot.number])])
    return count


def test_what_a_step_does_is_of_nodes_of_the_cluster(subject: Subject) -> None:
    """Requests, tasks and copies name nodes that there are."""
    for case, effect in _effects(subject):
        assert effect.node in {node.name for node in case.cluster.nodes}


def test_tasks_are_bounded_and_see_no_whole_machine(subject: Subject) -> None:
    """A task has a pinned image, a program, an end and a bound of its output, and mounts no root of a machine."""
    for _, effect in _effects(subject):
        if isinstance(effect, RunTask):
            assert PINNED.match(effect.image)
            assert effect.argv
            assert 0 < effect.timeout_s < float("inf")
            assert 0 <= effect.output_bytes <= MOST_OUTPUT
            assert all(PurePosixPath(mount.source).parts[1:] for mount in effect.mounts)


def test_files_are_copied_between_whole_paths(subject: Subject) -> None:
    """A copy names a file by its whole path on both sides, and has an end."""
    for _, effect in _effects(subject):
        if isinstance(effect, CopyFile):
            assert effect.path.is_absolute()
            assert effect.local.is_absolute()
            assert ".." not in (*effect.path.parts, *effect.local.parts)
            assert 0 < effect.timeout_s < float("inf")


def _verdicts(subject: Subject) -> Iterator[tuple[Step, object]]:
    for tried in _rollouts(subject):
        for step in tried.steps:
            if step.queries:
                silence = {query: NodeResponse(status=0) for query in step.queries}
                yield step, subject.plugins.step(tried.case.cluster, step, silence)


def _effects(subject: Subject) -> Iterator[tuple[Case, Effect]]:
    """Return what steps do where servers answer something, tasks end well or badly, and copies arrive."""
    for tried in _rollouts(subject):
        for step, body, code in product(tried.steps, ("{}", "[]"), (0, 1)):
            yield from ((tried.case, effect) for effect in _done(subject, tried.case, step, body, code))


def _done(subject: Subject, case: Case, step: Step, body: str, code: int) -> Iterator[Effect]:
    results: dict[Effect, NodeResponse | TaskResult | FileCopied] = {}
    answers = {query: NodeResponse(status=200, body=body) for query in step.queries}
    for _ in range(MOST_ROUNDS):
        verdict = subject.plugins.step(case.cluster, step, answers, results)
        if not isinstance(verdict, Do):
            return
        yield from verdict.effects
        results |= {effect: _result(effect, body, code) for effect in verdict.effects}


def _result(effect: Effect, body: str, code: int) -> NodeResponse | TaskResult | FileCopied:
    match effect:
        case RunTask():
            return TaskResult(exit_code=code, output=body)
        case CopyFile():
            return FileCopied(size_bytes=1, sha256="0" * 64)
        case _:
            return NodeResponse(status=200, body=body)


class _Tried(msgspec.Struct, frozen=True, kw_only=True):
    """What a plugin wants where some of the containers that it describes change."""

    case: Case
    described: frozenset[ContainerKey]
    groups: list[RolloutGroup]
    updates: list[NodeUpdate]

    @property
    def steps(self) -> list[Step]:
        """List the plugin's own steps."""
        every = (step for update in self.updates for step in (*update.pre_steps, *update.post_steps))
        return [step for step in every if isinstance(step, Step)]


def _rollouts(subject: Subject) -> Iterator[_Tried]:
    """Return groups and updates of a running cluster, for changes of each kind to all containers, one, and none."""
    for case, found in subject.described:
        containers = [each for each in found if isinstance(each, Container)]
        keys = [each.key for each in containers]
        for changes in _changes(containers):
            made = _asked(subject, case.cluster, keys, changes)
            yield _Tried(
                case=case,
                described=frozenset(keys),
                groups=[each for each in made if isinstance(each, RolloutGroup)],
                updates=[each for each in made if isinstance(each, NodeUpdate)],
            )


def _asked(
    subject: Subject, cluster: Cluster, keys: list[ContainerKey], changes: list[ContainerAction]
) -> list[NodeUpdate | RolloutGroup]:
    queries = subject.plugins.queries(cluster, keys, changes)
    silence: Responses = {query: NodeResponse(status=0) for query in queries}
    return subject.plugins.updates(cluster, keys, changes, silence)


def _changes(containers: list[Container]) -> Iterator[list[ContainerAction]]:
    yield []
    for kind in CHANGES:
        yield from _all_and_each([kind(key=each.key, reason="tried") for each in containers])
    yield from _all_and_each([RemoveContainer(key=each.key, reason="tried") for each in containers])


def _all_and_each(changes: list[ContainerAction]) -> Iterator[list[ContainerAction]]:
    yield changes
    yield from ([each] for each in changes)
