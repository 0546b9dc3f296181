"""The forms that a node's words must have: each function gives a valid value, or raises ValueError."""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import ip_address, ip_interface
from pathlib import PurePosixPath

Form = Callable[[str], str]
RESOLVER_LETTERS = 1 << 14
"""A kubelet takes 32 search domains of 2048 letters together."""


def _shaped(pattern: str) -> Form:
    compiled = re.compile(pattern)

    def shaped(text: str) -> str:
        if not compiled.fullmatch(text):
            raise ValueError(text)
        return text

    return shaped


identifier = _shaped(r"[!-~]{1,256}")
"""An id as Engines have it: a UUID, or groups of letters."""
machine_id = _shaped(r"[0-9A-Za-z-]{0,64}")
"""An id of a machine or of a boot; empty where the kernel or /etc/machine-id does not say."""
version = _shaped(r"[0-9A-Za-z.+~_-]{1,64}")
architecture = _shaped(r"[0-9A-Za-z_-]{1,32}")
interface = _shaped(r"[^\s/:]{1,15}")
"""A name as the kernel allows it (IFNAMSIZ)."""
interface_or_none = _shaped(r"([^\s/:]{1,15})?")
sysctl = _shaped(r"[0-9A-Za-z_./-]{1,128}")
mode = _shaped(r"[0-7]{3,4}")


def address(text: str) -> str:
    """Return an IP address as it is written shortest; the name of a zone could be anything."""
    return str(ip_address(_unzoned(text)))


def cidr(text: str) -> str:
    """Return an interface's address with the length of its prefix."""
    return ip_interface(_unzoned(text)).with_prefixlen


def _unzoned(text: str) -> str:
    if "%" in text:
        raise ValueError(text)
    return text


def path(text: str) -> str:
    """Return an absolute path without ``..`` and without a colon, which would end a bind; else ValueError."""
    found = PurePosixPath(text)
    if not found.is_absolute() or text.startswith("//") or ".." in found.parts or ":" in text:
        raise ValueError(text)
    return str(found)


def resolver(text: str) -> str:
    """Return a resolver's file; ValueError if it is too long or has a character that is not printable."""
    if len(text) > RESOLVER_LETTERS or not all(line.isprintable() for line in text.split("\n")):
        raise ValueError(text)
    return text
