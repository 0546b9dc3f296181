"""What was seen of a node, as values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType

import msgspec

from rkx.model.facts import NodeFacts
from rkx.reconcile.digest import of_file
from rkx.reconcile.layout import HELD_MODE, Layout
from rkx.reconcile.state_json import StateHeader


class SeenContainer(msgspec.Struct, frozen=True, kw_only=True):
    """One container as the Engine shows it. ``cluster`` and ``digest`` are our labels, empty on those of others.

    ``image`` is the name that was asked for, ``image_id`` what it was then.
    """

    id: str
    name: str
    image: str
    state: str
    image_id: str = ""
    cluster: str = ""
    digest: str = ""
    restart_policy: str = ""
    started_at: datetime | None = None
    argv: tuple[str, ...] = ()
    binds: frozenset[str] = frozenset()
    privileged: bool = False
    labels: Mapping[str, str] = MappingProxyType({})
    limited: bool = False


class SeenFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file or folder in one word (content digest, mode, owner), and when it was last written.

    ``filled`` is told of guarded folders alone: whether others keep something in it.
    """

    word: str
    modified: datetime
    size: int = 0
    filled: bool = False


HELD = SeenFile(word=of_file("folder", HELD_MODE, 0, 0), modified=datetime.fromtimestamp(0, UTC))
"""A folder that rkx-node made and that is not looked at again."""


class SeenNode(msgspec.Struct, frozen=True, kw_only=True):
    """All that was seen of one node. ``layout`` is None where rkx-node was never installed.

    ``images`` maps names to ids: tags, and digests under which images were pulled.
    """

    facts: NodeFacts
    containers: Mapping[str, SeenContainer]
    files: Mapping[str, SeenFile] = MappingProxyType({})
    layout: Layout | None = None
    images: Mapping[str, str] = MappingProxyType({})
    copy: StateHeader | None = None

    def ours(self, cluster_id: str) -> dict[str, SeenContainer]:
        """Return this cluster's own containers by name."""
        return {name: seen for name, seen in self.containers.items() if seen.cluster == cluster_id}
