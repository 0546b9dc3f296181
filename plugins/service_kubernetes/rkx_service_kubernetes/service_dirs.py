"""Where each service's files lie on a node: a folder of its own, which its container alone mounts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

import rkx

ROOT = PurePosixPath("/etc/kubernetes")
API_SERVER = "https://127.0.0.1:6443"
"""The API server on control plane nodes, the API proxy on all others."""
CIPHER_SUITES = tuple(
    f"TLS_ECDHE_{signature}_WITH_{cipher}"
    for signature in ("ECDSA", "RSA")
    for cipher in ("AES_128_GCM_SHA256", "AES_256_GCM_SHA384", "CHACHA20_POLY1305")
)


class ServiceDir:
    """One service's folder on one node: makes its files and collects them."""

    def __init__(self, node: str, service: str, *, root: PurePosixPath = ROOT, uid: int = 0, gid: int = 0) -> None:
        self.node = node
        self.path = root / service
        self.uid = uid
        self.gid = gid
        self._files: dict[PurePosixPath, rkx.File] = {}

    @property
    def folder(self) -> rkx.Folder:
        """Return the folder itself, closed to others."""
        return rkx.Folder(node=self.node, path=self.path, mode=0o700, uid=self.uid, gid=self.gid)

    @property
    def mount(self) -> rkx.Mount:
        """Return the folder as the service's container sees it."""
        return rkx.Mount(source=str(self.path), target=str(self.path), mode="ro")

    @property
    def read(self) -> rkx.Read:
        """Say that any changed file restarts the container."""
        return rkx.Read(path=self.path)

    @property
    def files(self) -> list[rkx.File]:
        """List the files made so far."""
        return list(self._files.values())

    @property
    def resources(self) -> list[rkx.Resource]:
        """List the folder and its files."""
        return [self.folder, *self.files]

    def put(self, name: str, content: bytes | rkx.CredentialRef | rkx.Secret[bytes], *, mode: int = 0o600) -> str:
        """Add a file and give its path; the same one twice is one."""
        path = self.path / name
        file = rkx.File(node=self.node, path=path, content=content, mode=mode, uid=self.uid, gid=self.gid)
        self._files[path] = file
        return str(path)

    def json(self, name: str, body: Mapping[str, Any]) -> str:
        """Add a configuration file: JSON, which is YAML too."""
        return self.put(name, as_json(body))

    def authority(self, name: str) -> str:
        """Add the certificate of an authority."""
        return self.put(f"{name}.crt", rkx.CredentialRef(identity=name, what="ca-bundle"), mode=0o644)

    def bundle(self, name: str, *authorities: str) -> str:
        """Add the certificates of several authorities in one file."""
        first, *beside = authorities
        return self.put(
            f"{name}.crt", rkx.CredentialRef(identity=first, what="ca-bundle", beside=tuple(beside)), mode=0o644
        )

    def pair(self, name: str, identity: str) -> tuple[str, str]:
        """Add a certificate and its key."""
        certificate = self.put(f"{name}.crt", rkx.CredentialRef(identity=identity, what="certificate"), mode=0o644)
        return certificate, self.put(f"{name}.key", rkx.CredentialRef(identity=identity, what="key"))

    def serving(self, identity: str) -> dict[str, str]:
        """Add what a server shows to its clients, and give the arguments that name it."""
        certificate, key = self.pair("serving", identity)
        return {
            "tls-cert-file": certificate,
            "tls-private-key-file": key,
            "tls-cipher-suites": ",".join(CIPHER_SUITES),
            "profiling": "false",
        }

    def kubeconfig(self, identity: str) -> str:
        """Add a kubeconfig that names its certificates by path, so that it holds no key itself."""
        authority = self.authority(rkx.identity.KUBERNETES_CA)
        certificate, key = self.pair("client", identity)
        return self.json("kubeconfig", kubeconfig(authority, certificate, key))


def as_json(body: Mapping[str, Any]) -> bytes:
    """Write a mapping the same way each time, in the order it was made."""
    return json.dumps(body, indent=2, default=_plain).encode() + b"\n"


def _plain(value: object) -> dict[str, Any]:
    """Unwrap the read-only mappings of options."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is nothing that JSON knows")


def kubeconfig(authority: str, certificate: str, key: str) -> dict[str, Any]:
    """Describe the way to the API server through this node's own loopback address."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "local", "cluster": {"server": API_SERVER, "certificate-authority": authority}}],
        "users": [{"name": "self", "user": {"client-certificate": certificate, "client-key": key}}],
        "contexts": [{"name": "self@local", "context": {"cluster": "local", "user": "self"}}],
        "current-context": "self@local",
    }
