"""The body of the Docker Engine's create call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

STREAMS = ("OpenStdin", "StdinOnce", "AttachStdin", "AttachStdout", "AttachStderr")
"""What gives a container its input once, and whoever attaches its output."""


def create_body(
    image: str,
    program: Sequence[str],
    labels: Mapping[str, str],
    *,
    network: str = "none",
    privileged: bool = False,
    capabilities: Iterable[str] = (),
    read_only: bool = True,
    binds: Iterable[str] = (),
    attached: bool = False,
    **host: object,
) -> dict[str, Any]:
    """Return what creates a container with no more rights than are named; ``program`` is argv.

    ``host`` holds further fields of its HostConfig, named as the Engine does.
    """
    return {
        "Image": image,
        "Labels": dict(labels),
        "Entrypoint": [program[0]],
        "Cmd": [*program[1:]],
        **(dict.fromkeys(STREAMS, True) if attached else {}),
        "HostConfig": {
            "NetworkMode": network,
            "Privileged": privileged,
            "CapDrop": [] if privileged else ["ALL"],
            "CapAdd": [*capabilities],
            "ReadonlyRootfs": read_only,
            "Binds": [*binds],
            **host,
        },
    }
