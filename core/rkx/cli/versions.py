"""Which rkx this is, and which plugins are there."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any, get_args


def line() -> str:
    """Return what ``rkx -v`` prints, in RKE's words."""
    return f"rkx version v{version('rkx')}"


def values() -> dict[str, Any]:
    """Return the versions for programs."""
    import platform

    from rkx.hooks import API_VERSION

    return {"v": 1, "rkx": version("rkx"), "hooks": API_VERSION, "python": platform.python_version()}


def plugins() -> list[dict[str, str]]:
    """List installed plugins by stage and name, with the distribution that each comes from."""
    from rkx.model.cluster import Stage
    from rkx.registry import installed

    return [
        {
            "stage": stage,
            "name": name,
            "distribution": point.dist.name if point.dist else "",
            "version": point.dist.version if point.dist else "",
        }
        for stage in get_args(Stage)
        for name, points in sorted(installed(stage).items())
        for point in points
    ]
