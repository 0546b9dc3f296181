"""What a run can do: one class for each kind of action, with the data that it needs. The union is closed."""

from __future__ import annotations

from typing import ClassVar, Literal, TypeAlias

import msgspec

from rkx.model.key import (
    ContainerKey,
    CredentialsKey,
    FileKey,
    FolderKey,
    HealthKey,
    ImageKey,
    Key,
    MachineKey,
    NodeKey,
    NodeStepKey,
    ObjectKey,
    ObjectsKey,
    ProgramKey,
    StepKey,
)
from rkx.model.resource import Rollout
from rkx.model.step import Step


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One difference of one resource; it never holds the value of a secret."""

    field: str
    before: str = ""
    after: str = ""


class _Action(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Starts when every key in ``after`` is done. ``is_change`` is false where no lock is needed."""

    verb: ClassVar[str] = ""
    is_change: ClassVar[bool] = True
    reason: str
    owner: str = ""
    changes: tuple[Change, ...] = ()
    after: tuple[Key, ...] = ()


class IssueCredentials(_Action, frozen=True):
    """Issue all credentials that are due."""

    verb: ClassVar[str] = "issue"

    @property
    def key(self) -> CredentialsKey:
        """Return what it is about."""
        return CredentialsKey()


class _OfNode(_Action, frozen=True, kw_only=True):
    node: str


class PrepareNode(_OfNode, frozen=True):
    """Install rkx-node, and note what lay on the machine before."""

    verb: ClassVar[str] = "prepare"

    @property
    def key(self) -> ProgramKey:
        """Return what it is about."""
        return ProgramKey(self.node)


class CleanNode(_OfNode, frozen=True):
    """Take all of the cluster from a machine but its containers."""

    verb: ClassVar[str] = "clean"

    @property
    def key(self) -> MachineKey:
        """Return what it is about."""
        return MachineKey(self.node)


class PullImage(_OfNode, frozen=True, kw_only=True):
    """Pull an image; one more on a node does no harm."""

    verb: ClassVar[str] = "pull"
    is_change: ClassVar[bool] = False
    image: str

    @property
    def key(self) -> ImageKey:
        """Return what it is about."""
        return ImageKey(self.node, self.image)


class _Writes(_Action, frozen=True, kw_only=True):
    """Writes what is desired under its key; ``digest`` is a keyed one of that, so that a plan holds no secret."""

    digest: str = ""


class _OfPath(_Writes, frozen=True, kw_only=True):
    key: FileKey | FolderKey


class CreatePath(_OfPath, frozen=True):
    """Make a file or folder that is missing."""

    verb: ClassVar[str] = "create"


class UpdatePath(_OfPath, frozen=True):
    """Write a file or folder that differs."""

    verb: ClassVar[str] = "update"


class RemovePath(_Action, frozen=True, kw_only=True):
    """Delete a file or folder that rkx made."""

    verb: ClassVar[str] = "remove"
    key: FileKey | FolderKey


class _OfContainer(_Writes, frozen=True, kw_only=True):
    key: ContainerKey


class CreateContainer(_OfContainer, frozen=True):
    """Create a container and start it."""

    verb: ClassVar[str] = "create"


class ReplaceContainer(_OfContainer, frozen=True):
    """Create a container in the place of one that differs."""

    verb: ClassVar[str] = "replace"


class StartContainer(_OfContainer, frozen=True):
    """Start a container that does not run."""

    verb: ClassVar[str] = "start"


class RestartContainer(_OfContainer, frozen=True):
    """Restart a container whose files have changed."""

    verb: ClassVar[str] = "restart"


class UpdateContainer(_OfContainer, frozen=True):
    """Set what can be set on a container that runs: its restart policy."""

    verb: ClassVar[str] = "update"


class RemoveContainer(_Action, frozen=True, kw_only=True):
    """Remove a container."""

    verb: ClassVar[str] = "remove"
    key: ContainerKey


class _OfObject(_Writes, frozen=True, kw_only=True):
    key: ObjectKey


class CreateObject(_OfObject, frozen=True):
    """Apply an object that is not there."""

    verb: ClassVar[str] = "create"


class UpdateObject(_OfObject, frozen=True):
    """Apply an object that differs."""

    verb: ClassVar[str] = "update"


class DeleteObject(_Action, frozen=True, kw_only=True):
    """Delete an object that rkx applied, and what depends on it."""

    verb: ClassVar[str] = "remove"
    key: ObjectKey


class SetNodeMetadata(_Action, frozen=True, kw_only=True):
    """Set a Node's labels and taints, once its kubelet has registered it."""

    verb: ClassVar[str] = "update"
    key: NodeKey


class _NodeStep(_OfNode, frozen=True, kw_only=True):
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


class DeleteNode(_Action, frozen=True, kw_only=True):
    """Delete a Node."""

    verb: ClassVar[str] = "remove"
    key: NodeKey


class TakeStep(_OfNode, frozen=True, kw_only=True):
    """Take a step of a plugin in the update of a node."""

    verb: ClassVar[str] = "take"
    group: str
    step: Step

    @property
    def key(self) -> StepKey:
        """Return what it is about."""
        return StepKey(self.node, self.group, self.step.verb, self.step.subject)


class RefreshObjects(_Action, frozen=True):
    """Look at the objects as soon as the API answers, and do what they need."""

    verb: ClassVar[str] = "refresh"
    is_change: ClassVar[bool] = False

    @property
    def key(self) -> ObjectsKey:
        """Return what it is about."""
        return ObjectsKey()


class _Wait(_Action, frozen=True):
    verb: ClassVar[str] = "await"
    is_change: ClassVar[bool] = False


class WaitForContainer(_Wait, frozen=True, kw_only=True):
    """Wait until a container's probe succeeds."""

    container: ContainerKey

    @property
    def key(self) -> HealthKey:
        """Return what it is about."""
        return HealthKey(self.container)


class WaitForNode(_Wait, frozen=True, kw_only=True):
    """Wait until a Node is Ready."""

    node: str

    @property
    def key(self) -> HealthKey:
        """Return what it is about."""
        return HealthKey(NodeKey(self.node))


class WaitForRollout(_Wait, frozen=True, kw_only=True):
    """Wait until a workload is healthy."""

    rollout: Rollout

    @property
    def key(self) -> HealthKey:
        """Return what it is about."""
        return HealthKey(self.rollout.key)


KeepContainer: TypeAlias = CreateContainer | ReplaceContainer | StartContainer | RestartContainer | UpdateContainer
"""After any of these the container is there as it should be."""
ContainerAction: TypeAlias = KeepContainer | RemoveContainer
KeepPath: TypeAlias = CreatePath | UpdatePath
PathAction: TypeAlias = KeepPath | RemovePath
ApplyObject: TypeAlias = CreateObject | UpdateObject
ObjectAction: TypeAlias = ApplyObject | DeleteObject | SetNodeMetadata
NodeAction: TypeAlias = PrepareNode | CleanNode | PullImage
NodeStep: TypeAlias = CordonNode | DrainNode | UncordonNode | DeleteNode
WaitAction: TypeAlias = WaitForContainer | WaitForNode | WaitForRollout
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
