"""Component records: how each container of a node is run, for auditors, who look for a file per component."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import rkx
from rkx_service_kubernetes.service_dirs import ServiceDir

NAME = "records"


def resources(node: str, found: Iterable[rkx.Resource]) -> list[rkx.Resource]:
    """Describe a folder with one file per container; no container reads them, so a change restarts nothing."""
    place = ServiceDir(node, NAME)
    for each in found:
        if isinstance(each, rkx.Container):
            place.json(f"{each.name}.json", _record(each))
    return place.resources


def _record(container: rkx.Container) -> dict[str, Any]:
    """Return what an auditor judges: of the environment names alone, whose values are the user's."""
    return {
        "name": container.name,
        "image": container.image,
        "argv": list(container.argv),
        "env": sorted(container.env),
        "mounts": [str(mount) for mount in container.mounts],
        "network": container.network,
        "user": container.user,
        "privileged": container.privileged,
        "capabilities": list(container.capabilities),
        "host_pid": container.host_pid,
        "host_cgroup": container.host_cgroup,
        "read_only": container.read_only,
    }
