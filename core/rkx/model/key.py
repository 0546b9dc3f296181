"""What actions are about: one type of key for each kind of thing, so that none is told apart by its text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Key:
    """Identify one thing. ``node`` is where it is, empty for what belongs to the cluster.

    ``shown_kind`` and ``shown_name`` are for people; nothing reads them back.
    """

    node: str

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

    def __lt__(self, other: Key) -> bool:
        return self.order() < other.order()


@dataclass(frozen=True, slots=True)
class _Named(Key):
    name: str

    def _label(self) -> str:
        return self.name


class ContainerKey(_Named):
    """A container on a node."""

    __slots__ = ()


class HostCleanupKey(_Named):
    """What a provider's parts leave on a node."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class _Path(Key):
    path: str

    def _label(self) -> str:
        return self.path


class FileKey(_Path):
    """A file on a node, by its absolute path."""

    __slots__ = ()


class FolderKey(_Path):
    """A folder on a node, by its absolute path."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class ImageKey(Key):
    """An image on a node, by its reference."""

    image: str

    def _label(self) -> str:
        return self.image


class ProgramKey(Key):
    """rkx-node on a node."""

    __slots__ = ()

    def _label(self) -> str:
        return "rkx-node"


class MachineKey(Key):
    """All of a node that is the cluster's, to clean it."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class CredentialsKey(Key):
    """All credentials that are due in one run."""

    node: str = field(default="", init=False)

    def _label(self) -> str:
        return "all"


@dataclass(frozen=True, slots=True)
class ObjectsKey(Key):
    """All objects of the cluster, to look at them."""

    node: str = field(default="", init=False)

    def _label(self) -> str:
        return "all"


@dataclass(frozen=True, slots=True)
class ManifestKey(Key):
    """A manifest of the cluster, by a plugin's name for it."""

    node: str = field(default="", init=False)
    name: str

    def _label(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class NodeKey(Key):
    """A Node of the cluster as rkx sees to it: its labels, its taints, and that it goes."""

    node: str = field(default="", init=False)
    name: str

    def _label(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class NodeStepKey(Key):
    """A step that core takes with a Node of the cluster."""

    node: str = field(default="", init=False)
    name: str
    step: Literal["cordon", "drain", "uncordon"]

    def _type(self) -> str:
        return "Step"

    def _label(self) -> str:
        return f"{self.step} {self.name}"


@dataclass(frozen=True, slots=True)
class StepKey(Key):
    """A step of a plugin, in the update of a node."""

    group: str
    verb: str
    subject: str

    def _label(self) -> str:
        return self.verb if self.subject == self.node else f"{self.verb} {self.subject}"


@dataclass(frozen=True, slots=True)
class SlotKey(Key):
    """A place in a rollout group: what the actions of one update wait for."""

    group: str
    number: int

    def _label(self) -> str:
        return f"{self.group} {self.number}"


@dataclass(frozen=True, slots=True)
class ObjectKey(Key):
    """An object of the cluster; ``group`` is empty for the core group, ``namespace`` for what has none."""

    node: str = field(default="", init=False)
    group: str
    kind: str
    namespace: str
    name: str

    def _type(self) -> str:
        return f"{self.kind}.{self.group}" if self.group else self.kind

    def _label(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


@dataclass(frozen=True, slots=True)
class HealthKey(Key):
    """The health of a container, a Node or a workload: what is waited for."""

    node: str = field(default="", init=False)
    of: ContainerKey | NodeKey | ObjectKey

    def _label(self) -> str:
        where = self.of.namespace if isinstance(self.of, ObjectKey) else self.of.node
        kind = self.of.kind if isinstance(self.of, ObjectKey) else self.of.shown_kind
        return f"{kind} {where}/{self.of.name}" if where else f"{kind} {self.of.name}"
