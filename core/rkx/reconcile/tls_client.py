"""HTTPS through a node as a named identity: how probes, steps and cluster objects reach servers."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import tempfile
from collections.abc import Iterator

from rkx.model.resource import CredentialRef
from rkx.reconcile.bounds import API, Limit
from rkx.reconcile.content import part_of
from rkx.reconcile.link import Link
from rkx.reconcile.sessions import Session, session
from rkx.reconcile.state_store import StateStore
from rkx.secret import Secret

SERVER_NAME = "127.0.0.1"
"""Every server that core asks listens on loopback too and has this name in its certificate."""


def tls_context(store: StateStore, authority: str, identity: str) -> ssl.SSLContext:
    """Trust one authority, and show one identity's certificate if ``identity`` is not empty."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(
        cadata=part_of(store.state, CredentialRef(identity=authority, what="ca-bundle")).decode()
    )
    if identity:
        certificate = part_of(store.state, CredentialRef(identity=identity, what="certificate"))
        key = part_of(store.state, CredentialRef(identity=identity, what="key"))
        with _unnamed_file(Secret(certificate + key)) as path:
            context.load_cert_chain(path)
    return context


@contextlib.contextmanager
def _unnamed_file(content: Secret[bytes]) -> Iterator[str]:
    """Lend a file name for bytes that must lie on no disk: Python's ssl takes names only."""
    if hasattr(os, "memfd_create"):
        handle = os.memfd_create("rkx")
        try:
            os.write(handle, content.reveal())
            yield f"/proc/self/fd/{handle}"
        finally:
            os.close(handle)
        return
    with tempfile.NamedTemporaryFile() as file:  # 0600; for operators' computers without memfd
        file.write(content.reveal())
        file.flush()
        yield file.name


def https(
    link: Link,
    port: int,
    context: ssl.SSLContext,
    *,
    timeout_s: float = 30.0,
    at_most: int = 0,
    limit: Limit = API,
) -> Session:
    """Return a session to a server on the node's own loopback; every connection speaks TLS."""

    def connect() -> socket.socket:
        return link.dial_tls(f"tcp:{SERVER_NAME}:{port}", context, SERVER_NAME, timeout_s=timeout_s)

    return session(connect, link.name, timeout_s=timeout_s, at_most=at_most, limit=limit)
