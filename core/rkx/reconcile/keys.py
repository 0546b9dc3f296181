"""Keys and certificate requests; the one place in core that uses cryptography, and only inside functions."""

from __future__ import annotations

import base64
import ipaddress
import secrets
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from rkx.model.identity import Identity
from rkx.secret import Secret

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey


def new_key() -> Secret[bytes]:
    """Make an ECDSA P-256 key, PEM in SEC 1 form: the API server reads no PKCS 8 for service accounts."""
    from cryptography.hazmat.primitives.asymmetric import ec

    return Secret(_pem(ec.generate_private_key(ec.SECP256R1())))


def _pem(key: EllipticCurvePrivateKey) -> bytes:
    from cryptography.hazmat.primitives import serialization

    form = serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


def _load(key: Secret[bytes]) -> EllipticCurvePrivateKey:
    from cryptography.hazmat.primitives import serialization

    return serialization.load_pem_private_key(key.reveal(), None)  # type: ignore[return-value] # new_key makes no other


def public_pem(key: Secret[bytes]) -> bytes:
    """Return the public half, PEM in PKIX form."""
    from cryptography.hazmat.primitives import serialization

    public = _load(key).public_key()
    return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def request(identity: Identity, key: Secret[bytes]) -> bytes:
    """Make a certificate request (PEM) with the identity's subject and names."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.x509.oid import NameOID

    names = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, name) for name in identity.organizations]
    names.append(x509.NameAttribute(NameOID.COMMON_NAME, identity.common_name or identity.name))
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(names))
    if identity.sans:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([_san(san) for san in identity.sans]), critical=False
        )
    return builder.sign(_load(key), hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _san(name: str) -> x509.GeneralName:
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def rendered(form: str, secret: bytes) -> bytes:
    """Put the secret in base64 for ``${secret}`` into the form."""
    return form.replace("${secret}", base64.b64encode(secret).decode()).encode()


def new_secret() -> bytes:
    """Make 32 random bytes."""
    return secrets.token_bytes(32)


class Dates(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate's serial number and lifetime."""

    serial: str
    not_before: datetime
    not_after: datetime


def dates(certificate: bytes) -> Dates:
    """Read serial and lifetime of a PEM certificate."""
    from cryptography import x509

    read = x509.load_pem_x509_certificate(certificate)
    return Dates(
        serial=f"{read.serial_number:x}", not_before=read.not_valid_before_utc, not_after=read.not_valid_after_utc
    )
