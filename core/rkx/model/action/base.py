"""What all actions have."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from rkx.model.key import Key


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One difference of one resource; it never holds the value of a secret."""

    field: str
    before: str = ""
    after: str = ""


class BaseAction(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Starts when every key in ``after`` is done. ``is_change`` is false where no lock is needed."""

    verb: ClassVar[str] = ""
    is_change: ClassVar[bool] = True
    reason: str
    owner: str = ""
    changes: tuple[Change, ...] = ()
    after: tuple[Key, ...] = ()


class OnNode(BaseAction, frozen=True, kw_only=True):
    """An action whose key has the name of its node in it."""

    node: str
