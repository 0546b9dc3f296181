"""What is done to the cluster: credentials, objects and Nodes."""

from __future__ import annotations

from typing import ClassVar

from rkx.model.action.base import BaseAction
from rkx.model.key import CredentialsKey, NodeKey, ObjectKey, ObjectsKey


class IssueCredentials(BaseAction, frozen=True):
    """Issue all credentials that are due."""

    verb: ClassVar[str] = "issue"

    @property
    def key(self) -> CredentialsKey:
        """Return what it is about."""
        return CredentialsKey()


class _OfObject(BaseAction, frozen=True, kw_only=True):
    key: ObjectKey


class CreateObject(_OfObject, frozen=True):
    """Apply an object that is not there."""

    verb: ClassVar[str] = "create"


class UpdateObject(_OfObject, frozen=True):
    """Apply an object that differs."""

    verb: ClassVar[str] = "update"


class DeleteObject(BaseAction, frozen=True, kw_only=True):
    """Delete an object that rkx applied, and what depends on it."""

    verb: ClassVar[str] = "remove"
    key: ObjectKey


class SetNodeMetadata(BaseAction, frozen=True, kw_only=True):
    """Set a Node's labels and taints, once its kubelet has registered it."""

    verb: ClassVar[str] = "update"
    key: NodeKey


class RefreshObjects(BaseAction, frozen=True):
    """Look at the objects as soon as the API answers, and do what they need."""

    verb: ClassVar[str] = "refresh"
    is_change: ClassVar[bool] = False

    @property
    def key(self) -> ObjectsKey:
        """Return what it is about."""
        return ObjectsKey()
