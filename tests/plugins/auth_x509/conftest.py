"""Keys and CSRs as core makes them, and a certificate authority made by the plugin itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import rkx
from rkx_auth_x509 import X509Auth, X509Config

NOW = datetime(2026, 5, 17, 12, 30, tzinfo=UTC)


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """A key, its CSR, and what was issued for it."""

    identity: rkx.identity.Identity
    key: bytes
    issued: rkx.identity.Issued

    @property
    def certificate(self) -> x509.Certificate:
        return x509.load_pem_x509_certificate(self.issued.certificate)

    @property
    def authority(self) -> rkx.identity.Authority:
        return rkx.identity.Authority(
            name=self.identity.name, certificate=self.issued.certificate, key=rkx.Secret(self.key)
        )


Enrol = Callable[..., Holder]


def key_and_csr() -> tuple[bytes, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    csr = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, SHA256())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return pem, csr.public_bytes(Encoding.PEM)


def issue_one(plugin: X509Auth, request: rkx.identity.IssueRequest, now: datetime = NOW) -> rkx.identity.Issued:
    [issued] = plugin.rkx_issue(requests=[request], now=now)
    assert isinstance(issued, rkx.identity.Issued)
    return issued


@pytest.fixture
def plugin() -> X509Auth:
    return X509Auth(X509Config())


@pytest.fixture
def enrol(plugin: X509Auth) -> Enrol:
    def enrol(identity: rkx.identity.Identity, signer: Holder | None = None, now: datetime = NOW) -> Holder:
        key, csr = key_and_csr()
        request = rkx.identity.IssueRequest(
            identity=identity,
            csr=csr,
            signer=signer.authority if signer else None,
            key=None if signer else rkx.Secret(key),
        )
        return Holder(identity=identity, key=key, issued=issue_one(plugin, request, now))

    return enrol


@pytest.fixture
def authority(enrol: Enrol) -> Holder:
    return enrol(
        rkx.identity.Identity(name=rkx.identity.KUBERNETES_CA, kind="authority", common_name=rkx.identity.KUBERNETES_CA)
    )
