"""The cluster's certificate authorities, as the operator's state has them."""

from __future__ import annotations

import json

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from harness import Cluster


def authorities(cluster: Cluster) -> dict[str, str]:
    """Give each authority's fingerprint as the state has it, or nothing before it is born."""
    file = cluster.folder / "cluster.rkxstate"
    if not file.exists():
        return {}
    credentials = json.loads(json.loads(file.read_text())["state"])["credentials"]
    return {
        name: fingerprint(credential["parts"]["certificate"]["secret"].encode())
        for name, credential in credentials.items()
        if name.endswith("-ca")
    }


def fingerprint(pem: bytes) -> str:
    """Give a certificate's SHA-256."""
    return x509.load_pem_x509_certificate(pem).fingerprint(hashes.SHA256()).hex()
