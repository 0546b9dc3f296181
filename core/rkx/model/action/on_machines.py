"""What is done to machines: rkx-node, images, files, folders and containers."""

from __future__ import annotations

from typing import ClassVar

from rkx.model.action.base import BaseAction, OnNode
from rkx.model.key import ContainerKey, FileKey, FolderKey, ImageKey, MachineKey, ProgramKey


class PrepareNode(OnNode, frozen=True):
    """Install rkx-node, and note what lay on the machine before."""

    verb: ClassVar[str] = "prepare"

    @property
    def key(self) -> ProgramKey:
        """Return what it is about."""
        return ProgramKey(self.node)


class CleanNode(OnNode, frozen=True):
    """Take all of the cluster from a machine but its containers."""

    verb: ClassVar[str] = "clean"

    @property
    def key(self) -> MachineKey:
        """Return what it is about."""
        return MachineKey(self.node)


class PullImage(OnNode, frozen=True, kw_only=True):
    """Pull an image; one more on a node does no harm."""

    verb: ClassVar[str] = "pull"
    is_change: ClassVar[bool] = False
    image: str

    @property
    def key(self) -> ImageKey:
        """Return what it is about."""
        return ImageKey(self.node, self.image)


class _OfPath(BaseAction, frozen=True, kw_only=True):
    key: FileKey | FolderKey


class CreatePath(_OfPath, frozen=True):
    """Make a file or folder that is missing."""

    verb: ClassVar[str] = "create"


class UpdatePath(_OfPath, frozen=True):
    """Write a file or folder that differs."""

    verb: ClassVar[str] = "update"


class RemovePath(BaseAction, frozen=True, kw_only=True):
    """Delete a file or folder that rkx made."""

    verb: ClassVar[str] = "remove"
    key: FileKey | FolderKey


class _OfContainer(BaseAction, frozen=True, kw_only=True):
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


class RemoveContainer(BaseAction, frozen=True, kw_only=True):
    """Remove a container."""

    verb: ClassVar[str] = "remove"
    key: ContainerKey
