"""The operator's kubeconfig, with everything in it."""

from __future__ import annotations

import base64
import json

from rkx.engine.ledger import Ledger
from rkx.engine.objects import PORT
from rkx.model.cluster import Cluster
from rkx.model.identity import ADMIN, KUBERNETES_CA
from rkx.model.resource import Part


def kubeconfig_of(cluster: Cluster, ledger: Ledger) -> bytes:
    """Name the first control plane node's server and the operator's own credentials; JSON, which is YAML too."""
    address = cluster.with_role("controlplane")[0].address
    server = f"https://[{address}]:{PORT}" if ":" in address else f"https://{address}:{PORT}"
    user = f"{ADMIN}-{cluster.name}"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": cluster.name,
                "cluster": {"server": server, "certificate-authority-data": _part(ledger, KUBERNETES_CA, "ca-bundle")},
            }
        ],
        "users": [
            {
                "name": user,
                "user": {
                    "client-certificate-data": _part(ledger, ADMIN, "certificate"),
                    "client-key-data": _part(ledger, ADMIN, "key"),
                },
            }
        ],
        "contexts": [{"name": cluster.name, "context": {"cluster": cluster.name, "user": user}}],
        "current-context": cluster.name,
    }
    return json.dumps(config, indent=2).encode() + b"\n"


def _part(ledger: Ledger, identity: str, what: str) -> str:
    return base64.b64encode(ledger.part(Part(identity=identity, what=what))).decode()  # type: ignore[arg-type]
