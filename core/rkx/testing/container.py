"""A container in memory, and what an Engine shows of it."""

from __future__ import annotations

import secrets
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

NEVER = "0001-01-01T00:00:00Z"


@dataclass(kw_only=True)
class Box:
    """A container; ``state`` in the Engine's words: created, running, paused, restarting, exited.

    One that ``crashes`` never runs: started, it is restarting, and each look at it finds one restart more.
    """

    name: str
    config: dict[str, Any]
    image_id: str = ""
    id: str = field(default_factory=lambda: secrets.token_hex(32))
    state: str = "created"
    started: str = NEVER
    crashes: bool = False
    restarts: int = 0
    runs: int = 0
    exit_code: int = 0
    output: bytes = b"its last words\n"

    @property
    def host(self) -> dict[str, Any]:
        """Return the settings that concern the host."""
        found: dict[str, Any] = self.config.setdefault("HostConfig", {})
        return found

    @property
    def labels(self) -> dict[str, str]:
        """Return the labels."""
        return self.config.get("Labels") or {}

    def start(self) -> None:
        """Run, from now on."""
        self.state = "restarting" if self.crashes else "running"
        self.runs += 1
        self.started = datetime.now(UTC).isoformat().replace("+00:00", "Z")


def binds_of(box: Box) -> list[tuple[str, str]]:
    """List what a container shows: the path outside, and inside."""
    binds = [(outside, inside) for outside, inside, *_ in (bind.split(":") for bind in box.host.get("Binds") or ())]
    return [*binds, *((mount["Source"], mount["Target"]) for mount in box.host.get("Mounts") or ())]


def has_label(labels: Mapping[str, str], wanted: str) -> bool:
    """Return whether labels meet a filter, as ``name`` or ``name=value``."""
    name, _, value = wanted.partition("=")
    return name in labels and value in ("", labels[name])


def frame(stream: int, content: bytes) -> bytes:
    """Pack a piece of a container's output: of stream 1, or 2 for errors."""
    return struct.pack(">BxxxL", stream, len(content)) + content
