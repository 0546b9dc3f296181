"""Steps of plugins: what cannot be a resource, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Literal, TypeAlias

import msgspec

from rkx.model.cluster import EMPTY
from rkx.model.resource import Mount


class NodeRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP request made from ``node`` to its own ``port``, as the named identity.

    Raises ValueError for a ``path`` that does not begin with ``/``.
    """

    node: str
    port: int
    path: str
    identity: str
    authority: str
    method: Literal["GET", "POST", "DELETE", "PUT", "PATCH"] = "POST"
    body: str = "{}"

    def __post_init__(self) -> None:
        if not self.path.startswith("/"):
            raise ValueError(f"path {self.path!r} does not begin with /")


class NodeResponse(msgspec.Struct, frozen=True, kw_only=True):
    """What a request brought; status 0: there was no answer, which is never "absent"."""

    status: int
    body: str = ""


Responses: TypeAlias = Mapping[NodeRequest, NodeResponse]


class RunTask(msgspec.Struct, frozen=True, kw_only=True):
    """Run a container once on ``node``, until it ends; it is removed afterwards, whatever comes of it.

    It has no capabilities but those named, and its image's own files are read-only. Of its output the first
    ``output_bytes`` are kept. One that runs for longer than ``timeout_s`` is ended, and the run fails.
    """

    node: str
    image: str
    argv: tuple[str, ...]
    mounts: tuple[Mount, ...] = ()
    network: Literal["host", "none"] = "none"
    user: str = ""
    capabilities: tuple[str, ...] = ()
    timeout_s: float = 300.0
    output_bytes: int = 1 << 16


class TaskResult(msgspec.Struct, frozen=True, kw_only=True):
    """How a task ended. ``output`` holds both streams; ``is_cut`` says that there was more."""

    exit_code: int
    output: str = ""
    is_cut: bool = False


class CopyFile(msgspec.Struct, frozen=True, kw_only=True):
    """Copy a file between ``path`` on ``node`` and the absolute path ``local`` of this computer.

    Here it is whole or not there, with mode 0600. On a node, where its mode is 0600 and its owner root, it is whole
    once this is done; a run that is killed meanwhile leaves a part of it. Its folder must be there already.
    """

    node: str
    path: PurePosixPath
    local: Path
    direction: Literal["from-node", "to-node"]
    timeout_s: float = 3600.0
    most_bytes: int = 1 << 40


class FileCopied(msgspec.Struct, frozen=True, kw_only=True):
    """How much was copied, and its SHA-256, as counted here."""

    size_bytes: int
    sha256: str


Effect: TypeAlias = NodeRequest | RunTask | CopyFile
Results: TypeAlias = Mapping[Effect, NodeResponse | TaskResult | FileCopied]
"""What the effects of a step have brought so far, the last time that each was asked for."""


class Step(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """One thing to bring about; its plugin decides from fresh answers to ``queries``."""

    verb: str
    subject: str
    reason: str
    queries: tuple[NodeRequest, ...] = ()
    owner: str = ""


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """The step is brought about.

    ``bootstrap_args`` of a step before changes take the place of those that are described, by the name of the
    container: of one that the step's update claims on its node, and that has some.
    """

    bootstrap_args: Mapping[str, tuple[str, ...]] = EMPTY


class Do(msgspec.Struct, frozen=True, kw_only=True):
    """Do these one after the other, then decide again: ``rkx_step`` is given the results."""

    effects: tuple[Effect, ...]


class Wait(msgspec.Struct, frozen=True, kw_only=True):
    """Ask again soon."""

    why: str


class Refuse(msgspec.Struct, frozen=True, kw_only=True):
    """Going on would lose data or service."""

    why: str
    hint: str = ""


Verdict: TypeAlias = Done | Do | Wait | Refuse
