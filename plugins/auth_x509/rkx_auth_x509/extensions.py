"""What a certificate holds besides its key and its dates (RFC 5280, section 4.2.1)."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

import rkx

PURPOSES = {"server": ExtendedKeyUsageOID.SERVER_AUTH, "client": ExtendedKeyUsageOID.CLIENT_AUTH}
Extension = tuple[x509.ExtensionType, bool]
"""An extension, and whether it is critical."""


def subject(identity: rkx.identity.Identity) -> x509.Name:
    """Name the holder: Kubernetes takes O as groups and CN as the user."""
    groups = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in identity.organizations]
    return x509.Name([*groups, x509.NameAttribute(NameOID.COMMON_NAME, identity.common_name or identity.name)])


def authority_extensions(public: CertificatePublicKeyTypes) -> Iterator[Extension]:
    """Let the holder sign leaves, and no authority below it."""
    yield x509.BasicConstraints(ca=True, path_length=0), True
    yield _key_usage(signs_certificates=True), True
    yield x509.SubjectKeyIdentifier.from_public_key(public), False


def leaf_extensions(
    identity: rkx.identity.Identity, public: CertificatePublicKeyTypes, authority: x509.Certificate
) -> Iterator[Extension]:
    """Let the holder be what the identity says, and sign nothing."""
    yield x509.BasicConstraints(ca=False, path_length=None), True
    yield _key_usage(encrypts_keys=isinstance(public, rsa.RSAPublicKey)), True
    if identity.usages:
        yield x509.ExtendedKeyUsage([PURPOSES[usage] for usage in sorted(identity.usages)]), False
    if identity.sans:
        yield x509.SubjectAlternativeName([_general_name(san) for san in identity.sans]), False
    yield x509.SubjectKeyIdentifier.from_public_key(public), False
    own = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    yield x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own), False


def _general_name(value: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(value))
    except ValueError:
        return x509.DNSName(value)


def _key_usage(*, signs_certificates: bool = False, encrypts_keys: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=encrypts_keys,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
