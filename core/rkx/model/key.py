"""What actions are about: one type of key for each kind of thing, so that none is told apart by its text."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec


class _Key(msgspec.Struct, frozen=True, tag=True):
    """Identify one thing.

    ``shown_kind`` and ``shown_name`` are for people; nothing reads them back.
    """

    @property
    def node(self) -> str:
        """Name the node that it is on; empty for what belongs to the cluster."""
        return ""

    @property
    def shown_kind(self) -> str:
        """Return the kind of thing as plans show it."""
        return self._type()

    def _type(self) -> str:
        return type(self).__name__.removesuffix("Key")

    @property
    def shown_name(self) -> str:
        """Return the name as plans show it."""
        return self._label()

    def _label(self) -> str:
        return self.node

    def __str__(self) -> str:
        return " ".join(part for part in (self.node, self.shown_kind.lower(), self.shown_name) if part)

    def order(self) -> tuple[str, str, str]:
        """Return what keys are sorted by: node, kind and name."""
        return self.node, self._type(), self._label()

    def __lt__(self, other: _Key) -> bool:
        return self.order() < other.order()


class _OnNode(_Key, frozen=True):
    node: str


class _Named(_OnNode, frozen=True):
    name: str

    def _label(self) -> str:
        return self.name


class ContainerKey(_Named, frozen=True):
    """A container on a node."""


class HostCleanupKey(_Named, frozen=True):
    """What a provider's parts leave on a node."""


class _Path(_OnNode, frozen=True):
    path: str

    def _label(self) -> str:
        return self.path


class FileKey(_Path, frozen=True):
    """A file on a node, by its absolute path."""


class FolderKey(_Path, frozen=True):
    """A folder on a node, by its absolute path."""


class ImageKey(_OnNode, frozen=True):
    """An image on a node, by its reference."""

    image: str

    def _label(self) -> str:
        return self.image


class ProgramKey(_OnNode, frozen=True):
    """rkx-node on a node."""

    def _label(self) -> str:
        return "rkx-node"


class MachineKey(_OnNode, frozen=True):
    """All of a node that is the cluster's, to clean it."""


class CredentialsKey(_Key, frozen=True):
    """All credentials that are due in one run."""

    def _label(self) -> str:
        return "all"


class ObjectsKey(_Key, frozen=True):
    """All objects of the cluster, to look at them."""

    def _label(self) -> str:
        return "all"


class ManifestKey(_Key, frozen=True):
    """A manifest of the cluster, by a plugin's name for it."""

    name: str

    def _label(self) -> str:
        return self.name


class NodeKey(_Key, frozen=True):
    """A Node of the cluster as rkx sees to it: its labels, its taints, and that it goes."""

    name: str

    def _label(self) -> str:
        return self.name


class NodeStepKey(_Key, frozen=True):
    """A step that core takes with a Node of the cluster."""

    name: str
    step: Literal["cordon", "drain", "uncordon"]

    def _type(self) -> str:
        return "Step"

    def _label(self) -> str:
        return f"{self.step} {self.name}"


class StepKey(_OnNode, frozen=True):
    """A step of a plugin, in the update of a node."""

    group: str
    verb: str
    subject: str

    def _label(self) -> str:
        return self.verb if self.subject == self.node else f"{self.verb} {self.subject}"


class SlotKey(_OnNode, frozen=True):
    """A place in a rollout group: what the actions of one update wait for."""

    group: str
    number: int

    def _label(self) -> str:
        return f"{self.group} {self.number}"


class ObjectKey(_Key, frozen=True):
    """An object of the cluster; ``group`` is empty for the core group, ``namespace`` for what has none."""

    group: str
    kind: str
    namespace: str
    name: str

    def _type(self) -> str:
        return f"{self.kind}.{self.group}" if self.group else self.kind

    def _label(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


class HealthKey(_Key, frozen=True):
    """The health of a container, a Node or a workload: what is waited for."""

    of: ContainerKey | NodeKey | ObjectKey

    def _label(self) -> str:
        where = self.of.namespace if isinstance(self.of, ObjectKey) else self.of.node
        kind = self.of.kind if isinstance(self.of, ObjectKey) else self.of.shown_kind
        return f"{kind} {where}/{self.of.name}" if where else f"{kind} {self.of.name}"


Key: TypeAlias = (
    ContainerKey
    | HostCleanupKey
    | FileKey
    | FolderKey
    | ImageKey
    | ProgramKey
    | MachineKey
    | CredentialsKey
    | ObjectsKey
    | ManifestKey
    | NodeKey
    | NodeStepKey
    | StepKey
    | SlotKey
    | ObjectKey
    | HealthKey
)
