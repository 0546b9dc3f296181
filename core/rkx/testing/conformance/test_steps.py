"""Laws for steps, which touch what cannot be made again."""

from __future__ import annotations

from collections.abc import Iterator

from rkx.model.action import (
    ContainerAction,
    CreateContainer,
    RemoveContainer,
    ReplaceContainer,
    RestartContainer,
    StartContainer,
)
from rkx.model.resource import Container
from rkx.model.step import Do, Done, NodeResponse, NodeUpdate, Responses, RolloutGroup, Step
from rkx.testing.conformance.subject import Subject

STAGES = ("service",)
HOOK = "rkx_step"
CHANGES = (CreateContainer, ReplaceContainer, StartContainer, RestartContainer)


def test_silence_proves_nothing(subject: Subject) -> None:
    """A step that asks is not done while nobody answers, nor does it act then."""
    for step, verdict in _verdicts(subject):
        said = f"{step.verb} {step.subject}: {verdict}, and nobody had answered"
        assert not isinstance(verdict, Done | Do), said


def test_updates_claim_changes_that_there_are_in_groups_that_there_are(subject: Subject) -> None:
    """An update stands in a group of the plugin's, and claims keys among the changes."""
    for changes, found in _updates(subject):
        keys = {change.key for change in changes}
        groups = {each.name for each in found if isinstance(each, RolloutGroup)}
        for update in found:
            if isinstance(update, NodeUpdate):
                assert update.group in groups
                assert set(update.keys) <= keys


def _verdicts(subject: Subject) -> Iterator[tuple[Step, object]]:
    for _, found in _updates(subject):
        for update in found:
            for step in (*update.pre_steps, *update.post_steps) if isinstance(update, NodeUpdate) else ():
                if step.queries:
                    yield step, subject.plugins.step(step, {query: NodeResponse(status=0) for query in step.queries})


def _updates(subject: Subject) -> Iterator[tuple[list[ContainerAction], list[NodeUpdate | RolloutGroup]]]:
    """Give the updates for each kind of change to all containers at once, and to one alone, of a cluster that runs."""
    for case, found in subject.described:
        containers = [each for each in found if isinstance(each, Container)]
        keys = [each.key for each in containers]
        silence: Responses = {query: NodeResponse(status=0) for query in subject.plugins.queries(case.cluster, keys)}
        for changes in _changes(containers):
            yield changes, subject.plugins.updates(case.cluster, keys, changes, silence)


def _changes(containers: list[Container]) -> Iterator[list[ContainerAction]]:
    for kind in CHANGES:
        yield from _all_and_each([kind(container=each, reason="tried") for each in containers])
    yield from _all_and_each([RemoveContainer(key=each.key, reason="tried") for each in containers])


def _all_and_each(changes: list[ContainerAction]) -> Iterator[list[ContainerAction]]:
    yield changes
    yield from ([each] for each in changes)
