"""The cluster's certificate authorities, as the operator's state has them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from harness import Cluster


def authorities(cluster: Cluster) -> dict[str, str]:
    """Return each authority's fingerprint as the state has it, or nothing before it is born."""
    if not state_file(cluster).exists():
        return {}
    names = [name for name in state(cluster)["credentials"] if name.endswith("-ca")]
    return {name: fingerprint(part(cluster, name, "certificate")) for name in names}


def state_file(cluster: Cluster) -> Path:
    """Say where the operator's state lies."""
    return cluster.folder / "cluster.rkxstate"


def state(cluster: Cluster) -> dict[str, Any]:
    """Read the operator's state."""
    found: dict[str, Any] = json.loads(json.loads(state_file(cluster).read_text())["state"])
    return found


def part(cluster: Cluster, name: str, what: str) -> bytes:
    """Return one part of issued credentials."""
    text: str = state(cluster)["credentials"][name]["parts"][what]["secret"]
    return text.encode()


def fingerprint(pem: bytes) -> str:
    """Return a certificate's SHA-256."""
    return x509.load_pem_x509_certificate(pem).fingerprint(hashes.SHA256()).hex()
