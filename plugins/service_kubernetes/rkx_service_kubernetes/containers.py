"""What containers of all services have in common."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

import rkx
from rkx_service_kubernetes.config import Program

PROGRAMS = "/var/lib/rkx/bin"
"""Where rkx-node lies on a node, for containers that start through it."""

ROOT_USER = "0:0"
"""The owner of its 0600 files reads them without any capability."""


def env(extra: Program) -> Mapping[str, str]:
    """Read ``NAME=VALUE`` lines of cluster.yml."""
    return dict((name, value) for name, _, value in (line.partition("=") for line in extra.extra_env))


def extra_mounts(extra: Program) -> tuple[rkx.Mount, ...]:
    """Read the user's binds."""
    return tuple(mount(text) for text in extra.extra_binds)


def mount(text: str) -> rkx.Mount:
    """Read a bind as Docker writes it: ``/path``, ``/source:/target`` or ``/source:/target:mode``."""
    source, _, rest = text.partition(":")
    target, _, mode = rest.partition(":")
    return rkx.Mount(source=source, target=target or source, mode=mode or "rw")


def folder(node: str, path: str, mode: int = 0o755) -> rkx.Folder:
    """Describe a folder of root's."""
    return rkx.Folder(node=node, path=PurePosixPath(path), mode=mode)
