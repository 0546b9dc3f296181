"""What cluster.yml opens on purpose."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """Something in cluster.yml that opens the cluster, accepted there by its ``name``; ``where`` is its path."""

    name: str
    where: str
    what: str
