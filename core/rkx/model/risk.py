"""What cluster.yml opens on purpose."""

from __future__ import annotations

import msgspec


class Risk(msgspec.Struct, frozen=True, kw_only=True):
    """Something in cluster.yml that opens the cluster, accepted there by its ``name``; ``where`` is its path."""

    name: str
    where: str
    what: str
