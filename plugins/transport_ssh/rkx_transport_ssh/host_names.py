"""Which machine a line of known_hosts, or a principal of a certificate, names."""

from __future__ import annotations

import base64
import binascii
import fnmatch
import hmac


def names_match(names: str, wanted: str) -> bool:
    """Return whether a known_hosts line names ``wanted``, in lower case: hashed, or with ``*``, ``?`` and ``!``."""
    if names.startswith("|1|"):
        return _hash_matches(names, wanted)
    patterns = [pattern.lower() for pattern in names.split(",")]
    if any(pattern_matches(pattern[1:], wanted) for pattern in patterns if pattern.startswith("!")):
        return False
    return any(pattern_matches(pattern, wanted) for pattern in patterns if not pattern.startswith("!"))


def pattern_matches(pattern: str, wanted: str) -> bool:
    """Return whether a name fits ``*`` and ``?``; brackets are part of a name here, as in [host]:port."""
    return fnmatch.fnmatchcase(wanted, pattern.replace("[", "[[]"))


def _hash_matches(hashed: str, wanted: str) -> bool:
    try:
        _, _, salt, digest = hashed.split("|")
        made = hmac.new(base64.b64decode(salt), wanted.encode(), "sha1").digest()
        return hmac.compare_digest(made, base64.b64decode(digest))
    except (ValueError, binascii.Error):
        return False
