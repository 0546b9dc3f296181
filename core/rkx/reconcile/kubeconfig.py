"""The operator's kubeconfig, with everything in it."""

from __future__ import annotations

import base64
import json
import stat
from pathlib import Path

from rkx.errors import PartlyDone
from rkx.model.cluster import Cluster
from rkx.model.identity import ADMIN, KUBERNETES_CA
from rkx.model.resource import CredentialRef
from rkx.reconcile.api_client import PORT
from rkx.reconcile.atomic import replace_file
from rkx.reconcile.content import part_of
from rkx.reconcile.state_store import StateStore

NAME = "kube_config_{name}"
"""RKE's name for the operator's kubeconfig: beside cluster.yml, with its name at the end."""


def kubeconfig_of(cluster: Cluster, store: StateStore) -> bytes:
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
                "cluster": {"server": server, "certificate-authority-data": _part(store, KUBERNETES_CA, "ca-bundle")},
            }
        ],
        "users": [
            {
                "name": user,
                "user": {
                    "client-certificate-data": _part(store, ADMIN, "certificate"),
                    "client-key-data": _part(store, ADMIN, "key"),
                },
            }
        ],
        "contexts": [{"name": cluster.name, "context": {"cluster": cluster.name, "user": user}}],
        "current-context": cluster.name,
    }
    return json.dumps(config, indent=2).encode() + b"\n"


def _part(store: StateStore, identity: str, what: str) -> str:
    return base64.b64encode(part_of(store.state, CredentialRef(identity=identity, what=what))).decode()  # type: ignore[arg-type]


def kubeconfig_path(cluster_file: Path) -> Path:
    """Return the place of the operator's kubeconfig."""
    return cluster_file.with_name(NAME.format(name=cluster_file.name))


def write_kubeconfig(cluster: Cluster, store: StateStore, cluster_file: Path) -> None:
    """Write the operator's kubeconfig, 0600, whole or not at all, if it differs; PartlyDone if that fails."""
    if ADMIN not in store.state.credentials:
        return
    content, path = kubeconfig_of(cluster, store), kubeconfig_path(cluster_file)
    try:
        if not _is_so(path, content):
            replace_file(path, content)
    except OSError as error:
        raise PartlyDone(
            f"{path}: the kubeconfig cannot be written: {error.strerror}",
            hint="make room or the folder writable; rkx kubeconfig prints it",
        ) from error


def _is_so(path: Path, content: bytes) -> bool:
    try:
        found = path.lstat()
        return stat.S_ISREG(found.st_mode) and found.st_mode & 0o777 == 0o600 and path.read_bytes() == content
    except FileNotFoundError:
        return False
