"""Preflight and diagnosis: what a plugin finds wrong with a node, and which ports it will take."""

from __future__ import annotations

import msgspec


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What a check found on a node; an error stops the run before the first change, exit 6."""

    node: str
    check: str
    message: str
    hint: str = ""
    warning: bool = False


class PortClaim(msgspec.Struct, frozen=True, kw_only=True):
    """A port that ``container`` will listen on; core reports anything else found there."""

    node: str
    port: int
    container: str
    proto: str = "tcp"


Check = Finding | PortClaim
