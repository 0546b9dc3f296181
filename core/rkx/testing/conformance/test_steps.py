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
from rkx.model.step import Answer, Answers, Do, Done, Lane, Step, Turn
from rkx.testing.conformance.subject import Subject

STAGES = ("service",)
HOOK = "rkx_step"
CHANGES = (CreateContainer, ReplaceContainer, StartContainer, RestartContainer)


def test_silence_proves_nothing(subject: Subject) -> None:
    """A step that asks is not done while nobody answers, nor does it act then."""
    for step, verdict in _verdicts(subject):
        said = f"{step.verb} {step.subject}: {verdict}, and nobody had answered"
        assert not isinstance(verdict, Done | Do), said


def test_turns_claim_changes_that_there_are_in_lanes_that_there_are(subject: Subject) -> None:
    """A turn stands in a lane of the plugin's, and claims keys among the changes."""
    for changes, found in _turns(subject):
        keys = {change.key for change in changes}
        lanes = {each.name for each in found if isinstance(each, Lane)}
        for turn in found:
            if isinstance(turn, Turn):
                assert turn.lane in lanes
                assert set(turn.keys) <= keys


def _verdicts(subject: Subject) -> Iterator[tuple[Step, object]]:
    for _, found in _turns(subject):
        for turn in found:
            for step in (*turn.enter, *turn.leave) if isinstance(turn, Turn) else ():
                if step.asks:
                    yield step, subject.plugins.step(step, {call: Answer(status=0) for call in step.asks})


def _turns(subject: Subject) -> Iterator[tuple[list[ContainerAction], list[Turn | Lane]]]:
    """Give the turns for each kind of change to all containers at once, and to one alone, of a cluster that runs."""
    for case, found in subject.described:
        containers = [each for each in found if isinstance(each, Container)]
        keys = [each.key for each in containers]
        silence: Answers = {call: Answer(status=0) for call in subject.plugins.asks(case.cluster, keys)}
        for changes in _changes(containers):
            yield changes, subject.plugins.turns(case.cluster, keys, changes, silence)


def _changes(containers: list[Container]) -> Iterator[list[ContainerAction]]:
    for kind in CHANGES:
        yield from _all_and_each([kind(container=each, reason="tried") for each in containers])
    yield from _all_and_each([RemoveContainer(key=each.key, reason="tried") for each in containers])


def _all_and_each(changes: list[ContainerAction]) -> Iterator[list[ContainerAction]]:
    yield changes
    yield from ([each] for each in changes)
