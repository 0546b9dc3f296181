"""Certificates of authorities and leaves."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

import rkx
from rkx_auth_x509.extensions import authority_extensions, leaf_extensions, subject

CLOCK_SKEW = timedelta(minutes=5)  # as the controller manager's signer allows
SigningKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def issue(request: rkx.identity.IssueRequest, days: int, now: datetime) -> rkx.identity.Issued:
    """Sign what ``request`` asks for, for so many days; key pairs and secrets have no certificate.

    The chain stays empty: each leaf is signed by a root, and roots are delivered as ``ca-bundle``.
    """
    match request.identity.kind:
        case "authority":
            certificate = _self_signed(request, days, now)
        case "leaf":
            certificate = _leaf(request, days, now)
        case _:
            return rkx.identity.Issued(identity=request.identity.name, certificate=b"")
    return rkx.identity.Issued(identity=request.identity.name, certificate=certificate.public_bytes(Encoding.PEM))


class Signer(msgspec.Struct, frozen=True, kw_only=True):
    """An authority, read."""

    certificate: x509.Certificate
    key: SigningKey

    @classmethod
    def read(cls, authority: rkx.identity.Authority) -> Self:
        """Decode an authority's PEM texts; RkxError if key and certificate do not belong together."""
        certificate = x509.load_pem_x509_certificate(authority.certificate)
        key = _signing_key(authority.key, authority.name)
        if certificate.public_key() != key.public_key():
            raise rkx.RkxError(
                f"the key of authority {authority.name!r} does not belong to its certificate",
                hint="the state holds parts of two authorities; bring back a copy from a control plane node",
            )
        return cls(certificate=certificate, key=key)


def _self_signed(request: rkx.identity.IssueRequest, days: int, now: datetime) -> x509.Certificate:
    identity = request.identity
    if request.key is None:
        raise rkx.RkxError(f"no key came with the request for authority {identity.name!r}")
    key = _signing_key(request.key, identity.name)
    public = _checked_public_key(request)
    if public != key.public_key():
        raise rkx.RkxError(f"the CSR of authority {identity.name!r} is for another key than its own")
    builder = _builder(identity, subject(identity), public, now, now + timedelta(days=days))
    for extension, critical in authority_extensions(public):
        builder = builder.add_extension(extension, critical)
    return builder.sign(key, SHA256())


def _leaf(request: rkx.identity.IssueRequest, days: int, now: datetime) -> x509.Certificate:
    identity = request.identity
    if request.signer is None:
        raise rkx.RkxError(f"no signer came with the request for {identity.name!r} of {identity.authority!r}")
    signer = Signer.read(request.signer)
    authority_end = signer.certificate.not_valid_after_utc
    if authority_end <= now:
        raise rkx.Refused(
            f"authority {request.signer.name!r} ended on {authority_end:%Y-%m-%d}, nothing can be signed with it",
            hint="check this computer's clock; an expired authority must be rotated, not renewed",
        )
    public = _checked_public_key(request)
    end = min(now + timedelta(days=days), authority_end)
    builder = _builder(identity, signer.certificate.subject, public, now, end)
    for extension, critical in leaf_extensions(identity, public, signer.certificate):
        builder = builder.add_extension(extension, critical)
    return builder.sign(signer.key, SHA256())


def _builder(
    identity: rkx.identity.Identity, issuer: x509.Name, public: CertificatePublicKeyTypes, now: datetime, end: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject(identity))
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(end)
    )


def _checked_public_key(request: rkx.identity.IssueRequest) -> CertificatePublicKeyTypes:
    csr = x509.load_pem_x509_csr(request.csr)
    if not csr.is_signature_valid:
        raise rkx.RkxError(f"the CSR for {request.identity.name!r} is not signed with the key that it is for")
    return csr.public_key()


def _signing_key(key: rkx.Secret[bytes], name: str) -> SigningKey:
    loaded = load_pem_private_key(key.reveal(), password=None)
    if not isinstance(loaded, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise rkx.RkxError(f"the key of authority {name!r} is a {type(loaded).__name__}, neither ECDSA nor RSA")
    return loaded
