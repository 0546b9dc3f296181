"""What a run can do: one class for each kind of action, with the data that it needs. The union is closed."""

from __future__ import annotations

from typing import TypeAlias

from rkx.model.action.base import Change
from rkx.model.action.on_machines import (
    CleanNode,
    CreateContainer,
    CreatePath,
    PrepareNode,
    PullImage,
    RemoveContainer,
    RemovePath,
    ReplaceContainer,
    RestartContainer,
    StartContainer,
    UpdateContainer,
    UpdatePath,
)
from rkx.model.action.on_objects import (
    CreateObject,
    DeleteObject,
    IssueCredentials,
    RefreshObjects,
    SetNodeMetadata,
    UpdateObject,
)
from rkx.model.action.steps import CordonNode, DeleteNode, DrainNode, TakeStep, UncordonNode
from rkx.model.action.waits import WaitForContainer, WaitForHealth, WaitForNode

__all__ = [
    "Action",
    "ApplyObject",
    "Change",
    "CleanNode",
    "ContainerAction",
    "CordonNode",
    "CreateContainer",
    "CreateObject",
    "CreatePath",
    "DeleteNode",
    "DeleteObject",
    "DrainNode",
    "IssueCredentials",
    "KeepContainer",
    "KeepPath",
    "NodeAction",
    "NodeStep",
    "ObjectAction",
    "PathAction",
    "PrepareNode",
    "PullImage",
    "RefreshObjects",
    "RemoveContainer",
    "RemovePath",
    "ReplaceContainer",
    "RestartContainer",
    "SetNodeMetadata",
    "StartContainer",
    "TakeStep",
    "UncordonNode",
    "UpdateContainer",
    "UpdateObject",
    "UpdatePath",
    "WaitAction",
    "WaitForContainer",
    "WaitForNode",
    "WaitForHealth",
]

KeepContainer: TypeAlias = CreateContainer | ReplaceContainer | StartContainer | RestartContainer | UpdateContainer
"""After any of these the container is there as it should be."""
ContainerAction: TypeAlias = KeepContainer | RemoveContainer
KeepPath: TypeAlias = CreatePath | UpdatePath
PathAction: TypeAlias = KeepPath | RemovePath
ApplyObject: TypeAlias = CreateObject | UpdateObject
ObjectAction: TypeAlias = ApplyObject | DeleteObject | SetNodeMetadata
NodeAction: TypeAlias = PrepareNode | CleanNode | PullImage
NodeStep: TypeAlias = CordonNode | DrainNode | UncordonNode | DeleteNode
WaitAction: TypeAlias = WaitForContainer | WaitForNode | WaitForHealth
Action: TypeAlias = (
    IssueCredentials
    | NodeAction
    | NodeStep
    | PathAction
    | ContainerAction
    | TakeStep
    | ObjectAction
    | RefreshObjects
    | WaitAction
)
