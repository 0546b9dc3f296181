"""API servers go one at a time, each healthy before the next, so that one always answers."""

from __future__ import annotations

from collections.abc import Sequence

import rkx
from rkx_service_kubernetes.api_server import NAME


def updates(changes: Sequence[rkx.action.ContainerAction]) -> list[rkx.NodeUpdate | rkx.RolloutGroup]:
    """Put each API server that stops for a moment in an update of its own; the first start of several needs none."""
    keys = [
        a.key
        for a in changes
        if a.key.name == NAME and isinstance(a, rkx.action.ReplaceContainer | rkx.action.RestartContainer)
    ]
    if len(keys) < 2:
        return []
    return [rkx.RolloutGroup(name=NAME), *(rkx.NodeUpdate(group=NAME, node=key.node, keys=(key,)) for key in keys)]
