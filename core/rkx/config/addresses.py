"""Judge what a machine is called and where it is reached."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from typing import TypeAlias

Ip: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\Z")


def ip(text: str) -> Ip | None:
    """Read an IP address; None if it is none."""
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def is_dns_name(text: str) -> bool:
    """Return whether a text is a DNS-1123 subdomain."""
    return len(text) <= 253 and all(LABEL.match(label) for label in text.split("."))


def fault_of_address(text: str) -> tuple[str, str] | None:
    """Say what is wrong with an address and what to do; None if it is an IP or a host name."""
    if strange := sorted({f"U+{ord(letter):04X}" for letter in text if not letter.isascii() or ord(letter) < 33}):
        names = ", ".join(f"{code} {unicodedata.name(chr(int(code[2:], 16)), '')}".strip() for code in strange)
        return f"address holds {names}", "type it afresh, in plain letters"
    if (known := ip(text)) and (known.is_unspecified or known.is_multicast or str(known) == "255.255.255.255"):
        return f'"{text}" is not the address of a machine', "the address that this computer reaches it by"
    if known or (is_dns_name(text.lower()) and not re.fullmatch(r"[0-9.]+", text)):
        return None
    if re.fullmatch(r"[^:]+:[0-9]+", text):
        host, _, port = text.partition(":")
        return f'no port belongs into an address, "{text}" found', f"write address: {host} and port: {port}"
    big = next((octet for octet in text.split(".") if octet.isdigit() and int(octet[:9]) > 255), "")
    why = f" (octet {big} > 255)" if big and re.fullmatch(r"[0-9.]+", text) else ""
    return f'"{text[:60]}" is neither an IP address nor a host name{why}', "host names: a-z, 0-9, '-' and '.'"


def fault_of_name(text: str) -> tuple[str, str] | None:
    """Say why a node cannot carry this name; upper case is allowed, and lowered."""
    lowered = text.lower()
    if is_dns_name(lowered):
        return None
    wrong = ", ".join(sorted({f'"{letter}"' for letter in text if not re.match(r"[a-z0-9.-]", letter)}))
    proposal = re.sub(r"[^a-z0-9.]+", "-", lowered).strip("-.")
    hint = f'"{proposal}"?' if is_dns_name(proposal) else "a-z, 0-9, '-' and '.'"
    return f'"{text[:60]}" is not a valid DNS-1123 name{f" ({wrong})" if wrong else ""}', hint


def fault_of_port(text: str) -> str:
    """Say why a text is not a valid port; empty if it is one."""
    from rkx.config.scalars import octal_note, shortened

    if note := octal_note(text):
        return f'"{text}" is not a valid port ({note})'
    if text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= 65535:
        return ""
    return f'"{shortened(text)}" is not a valid port'
