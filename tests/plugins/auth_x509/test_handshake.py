"""Certificates as a TLS library judges them: OpenSSL on both ends, in memory."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.plugins.auth_x509.conftest import Enrol, Holder

import rkx

SERVER = rkx.identity.Identity(
    name="kube-apiserver",
    authority=rkx.identity.KUBERNETES_CA,
    common_name="kube-apiserver",
    sans=("kubernetes.default.svc", "192.0.2.1"),
    usages=frozenset({"server"}),
)
CLIENT = rkx.identity.Identity(
    name="kubelet-one",
    authority=rkx.identity.KUBERNETES_CA,
    common_name="system:node:one",
    organizations=("system:nodes",),
    usages=frozenset({"client"}),
)


@pytest.fixture
def today(enrol: Enrol) -> Holder:
    return enrol(
        rkx.identity.Identity(name=rkx.identity.KUBERNETES_CA, kind="authority", common_name="kubernetes-ca"),
        now=clock(),
    )


def clock() -> datetime:
    return datetime.now(UTC)


def context(purpose: ssl.Purpose, holder: Holder, trusted: Holder, folder: Path, extra: bytes = b"") -> ssl.SSLContext:
    made = ssl.create_default_context(purpose, cadata=trusted.issued.certificate.decode())
    made.verify_mode = ssl.CERT_REQUIRED
    made.verify_flags |= ssl.VERIFY_X509_STRICT
    file = folder / f"{holder.identity.name}.pem"
    file.write_bytes(holder.issued.certificate + extra + holder.key)
    made.load_cert_chain(file)
    return made


def shake_hands(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> dict[str, object]:
    """Complete a mutual handshake over two buffers and give what the server knows of its client."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    theirs = client.wrap_bio(down, up, server_hostname=name)
    ours = server.wrap_bio(up, down, server_side=True)
    waiting = [theirs, ours]
    for _ in range(10):
        for end in list(waiting):
            try:
                end.do_handshake()
                waiting.remove(end)
            except ssl.SSLWantReadError:
                continue
        if not waiting:
            return dict(ours.getpeercert() or {})
    raise AssertionError("the handshake came to no end")


@pytest.mark.parametrize("name", ["kubernetes.default.svc", "192.0.2.1"])
def test_server_and_client_of_one_authority_trust_each_other(
    name: str, today: Holder, enrol: Enrol, tmp_path: Path
) -> None:
    server, client = enrol(SERVER, today, clock()), enrol(CLIENT, today, clock())
    seen = shake_hands(
        context(ssl.Purpose.CLIENT_AUTH, server, today, tmp_path),
        context(ssl.Purpose.SERVER_AUTH, client, today, tmp_path),
        name,
    )
    assert seen["subject"] == ((("organizationName", "system:nodes"),), (("commonName", "system:node:one"),))


def test_a_name_that_is_not_listed_is_refused(today: Holder, enrol: Enrol, tmp_path: Path) -> None:
    server, client = enrol(SERVER, today, clock()), enrol(CLIENT, today, clock())
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        shake_hands(
            context(ssl.Purpose.CLIENT_AUTH, server, today, tmp_path),
            context(ssl.Purpose.SERVER_AUTH, client, today, tmp_path),
            "other.example.org",
        )


def test_a_clients_certificate_serves_nobody(today: Holder, enrol: Enrol, tmp_path: Path) -> None:
    client = enrol(CLIENT, today, clock())
    with pytest.raises(ssl.SSLCertVerificationError, match=r"(unsuitable|unsupported) certificate purpose"):
        shake_hands(
            context(ssl.Purpose.CLIENT_AUTH, client, today, tmp_path),
            context(ssl.Purpose.SERVER_AUTH, client, today, tmp_path),
            "kubernetes.default.svc",
        )


def test_what_a_leaf_signed_is_refused(today: Holder, enrol: Enrol, tmp_path: Path) -> None:
    leaf, client = enrol(SERVER, today, clock()), enrol(CLIENT, today, clock())
    forged = enrol(SERVER, leaf, clock())
    with pytest.raises(ssl.SSLCertVerificationError, match="invalid CA certificate"):
        shake_hands(
            context(ssl.Purpose.CLIENT_AUTH, forged, today, tmp_path, leaf.issued.certificate),
            context(ssl.Purpose.SERVER_AUTH, client, today, tmp_path),
            "kubernetes.default.svc",
        )
