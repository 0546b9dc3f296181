"""Actions of a plan, which the updates of nodes claim and add to."""

from rkx.model.action import (
    Action,
    Change,
    ContainerAction,
    CordonNode,
    CreateContainer,
    DrainNode,
    RemoveContainer,
    ReplaceContainer,
    RestartContainer,
    StartContainer,
    UncordonNode,
    WaitForNode,
)

__all__ = [
    "Action",
    "Change",
    "ContainerAction",
    "CordonNode",
    "CreateContainer",
    "DrainNode",
    "RemoveContainer",
    "ReplaceContainer",
    "RestartContainer",
    "StartContainer",
    "UncordonNode",
    "WaitForNode",
]
