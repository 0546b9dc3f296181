"""What a run can do: one class for each kind of action, with the data that it needs. The union is closed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

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
from rkx.model.resource import Container, File, Folder, NodeMetadata, Object, Rollout
from rkx.model.step import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference of one resource; it never holds the value of a secret."""

    field: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Action:
    """Starts when every key in ``after`` is done. ``is_change`` is false where no lock is needed."""

    verb: ClassVar[str] = ""
    is_change: ClassVar[bool] = True
    reason: str
    owner: str = ""
    changes: tuple[Change, ...] = ()
    after: tuple[Key, ...] = ()


class IssueCredentials(_Action):
    """Issue all credentials that are due."""

    __slots__ = ()
    verb: ClassVar[str] = "issue"

    @property
    def key(self) -> CredentialsKey:
        """Return what it is about."""
        return CredentialsKey()


@dataclass(frozen=True, slots=True, kw_only=True)
class _OfNode(_Action):
    node: str


class PrepareNode(_OfNode):
    """Install rkx-node, and note what lay on the machine before."""

    __slots__ = ()
    verb: ClassVar[str] = "prepare"

    @property
    def key(self) -> ProgramKey:
        """Return what it is about."""
        return ProgramKey(self.node)


class CleanNode(_OfNode):
    """Take all of the cluster from a machine but its containers."""

    __slots__ = ()
    verb: ClassVar[str] = "clean"

    @property
    def key(self) -> MachineKey:
        """Return what it is about."""
        return MachineKey(self.node)


@dataclass(frozen=True, slots=True, kw_only=True)
class PullImage(_OfNode):
    """Pull an image; one more on a node does no harm."""

    verb: ClassVar[str] = "pull"
    is_change: ClassVar[bool] = False
    image: str

    @property
    def key(self) -> ImageKey:
        """Return what it is about."""
        return ImageKey(self.node, self.image)


@dataclass(frozen=True, slots=True, kw_only=True)
class _OfPath(_Action):
    wanted: File | Folder

    @property
    def key(self) -> FileKey | FolderKey:
        """Return what it is about."""
        return self.wanted.key


class CreatePath(_OfPath):
    """Make a file or folder that is missing."""

    __slots__ = ()
    verb: ClassVar[str] = "create"


class UpdatePath(_OfPath):
    """Write a file or folder that differs."""

    __slots__ = ()
    verb: ClassVar[str] = "update"


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovePath(_Action):
    """Delete a file or folder that rkx made."""

    verb: ClassVar[str] = "remove"
    key: FileKey | FolderKey


@dataclass(frozen=True, slots=True, kw_only=True)
class _OfContainer(_Action):
    container: Container

    @property
    def key(self) -> ContainerKey:
        """Return what it is about."""
        return self.container.key


class CreateContainer(_OfContainer):
    """Create a container and start it."""

    __slots__ = ()
    verb: ClassVar[str] = "create"


class ReplaceContainer(_OfContainer):
    """Create a container in the place of one that differs."""

    __slots__ = ()
    verb: ClassVar[str] = "replace"


class StartContainer(_OfContainer):
    """Start a container that does not run."""

    __slots__ = ()
    verb: ClassVar[str] = "start"


class RestartContainer(_OfContainer):
    """Restart a container whose files have changed."""

    __slots__ = ()
    verb: ClassVar[str] = "restart"


class UpdateContainer(_OfContainer):
    """Set what can be set on a container that runs: its restart policy."""

    __slots__ = ()
    verb: ClassVar[str] = "update"


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveContainer(_Action):
    """Remove a container."""

    verb: ClassVar[str] = "remove"
    key: ContainerKey


@dataclass(frozen=True, slots=True, kw_only=True)
class _OfObject(_Action):
    wanted: Object

    @property
    def key(self) -> ObjectKey:
        """Return what it is about."""
        return self.wanted.key


class CreateObject(_OfObject):
    """Apply an object that is not there."""

    __slots__ = ()
    verb: ClassVar[str] = "create"


class UpdateObject(_OfObject):
    """Apply an object that differs."""

    __slots__ = ()
    verb: ClassVar[str] = "update"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteObject(_Action):
    """Delete an object that rkx applied, and what depends on it."""

    verb: ClassVar[str] = "remove"
    key: ObjectKey


@dataclass(frozen=True, slots=True, kw_only=True)
class SetNodeMetadata(_Action):
    """Set a Node's labels and taints, once its kubelet has registered it."""

    verb: ClassVar[str] = "update"
    wanted: NodeMetadata

    @property
    def key(self) -> NodeKey:
        """Return what it is about."""
        return self.wanted.key


class _NodeStep(_OfNode):
    """What core takes with a Node as a step of an update."""

    __slots__ = ()
    verb: ClassVar[str] = "take"
    step: ClassVar[Literal["cordon", "drain", "uncordon"]]

    @property
    def key(self) -> NodeStepKey:
        """Return what it is about."""
        return NodeStepKey(self.node, self.step)


class CordonNode(_NodeStep):
    """Keep new pods from a Node, and note there that rkx does; one that its operator cordoned stays his."""

    __slots__ = ()
    step = "cordon"


class DrainNode(_NodeStep):
    """Evict the pods of a Node, and wait until they are gone."""

    __slots__ = ()
    step = "drain"


class UncordonNode(_NodeStep):
    """Let pods on a Node again, if rkx had cordoned it."""

    __slots__ = ()
    step = "uncordon"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteNode(_Action):
    """Delete a Node."""

    verb: ClassVar[str] = "remove"
    key: NodeKey


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeStep(_OfNode):
    """Take a step of a plugin in the update of a node."""

    verb: ClassVar[str] = "take"
    group: str
    step: Step

    @property
    def key(self) -> StepKey:
        """Return what it is about."""
        return StepKey(self.node, self.group, self.step.verb, self.step.subject)


class RefreshObjects(_Action):
    """Look at the objects as soon as the API answers, and do what they need."""

    __slots__ = ()
    verb: ClassVar[str] = "refresh"
    is_change: ClassVar[bool] = False

    @property
    def key(self) -> ObjectsKey:
        """Return what it is about."""
        return ObjectsKey()


class _Wait(_Action):
    __slots__ = ()
    verb: ClassVar[str] = "await"
    is_change: ClassVar[bool] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitForContainer(_Wait):
    """Wait until a container's probe succeeds."""

    container: Container

    @property
    def key(self) -> HealthKey:
        """Return what it is about."""
        return HealthKey(self.container.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitForNode(_Wait):
    """Wait until a Node is Ready."""

    node: str

    @property
    def key(self) -> HealthKey:
        """Return what it is about."""
        return HealthKey(NodeKey(self.node))


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitForRollout(_Wait):
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
Wait: TypeAlias = WaitForContainer | WaitForNode | WaitForRollout
Action: TypeAlias = (
    IssueCredentials
    | NodeAction
    | NodeStep
    | PathAction
    | ContainerAction
    | TakeStep
    | ObjectAction
    | RefreshObjects
    | Wait
)
