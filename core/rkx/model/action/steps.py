"""What the update of a node consists of beside its actions: core's own steps and a plugin's."""

from __future__ import annotations

from typing import ClassVar, Literal

from rkx.model.action.base import BaseAction, OnNode
from rkx.model.key import NodeKey, NodeStepKey, StepKey
from rkx.model.step import Step


class _NodeStep(OnNode, frozen=True, kw_only=True):
    """What core takes with a Node as a step of an update."""

    verb: ClassVar[str] = "take"
    step: ClassVar[Literal["cordon", "drain", "uncordon"]]

    @property
    def key(self) -> NodeStepKey:
        """Return what it is about."""
        return NodeStepKey(self.node, self.step)


class CordonNode(_NodeStep, frozen=True, kw_only=True):
    """Keep new pods from a Node, and note there that rkx does; one that its operator cordoned stays his."""

    step = "cordon"


class DrainNode(_NodeStep, frozen=True, kw_only=True):
    """Evict the pods of a Node, and wait until they are gone."""

    step = "drain"


class UncordonNode(_NodeStep, frozen=True, kw_only=True):
    """Let pods on a Node again, if rkx had cordoned it."""

    step = "uncordon"


class DeleteNode(BaseAction, frozen=True, kw_only=True):
    """Delete a Node."""

    verb: ClassVar[str] = "remove"
    key: NodeKey


class TakeStep(OnNode, frozen=True, kw_only=True):
    """Take a step of a plugin in the update of a node."""

    verb: ClassVar[str] = "take"
    group: str
    step: Step

    @property
    def key(self) -> StepKey:
        """Return what it is about."""
        return StepKey(self.node, self.group, self.step.verb, self.step.subject)
