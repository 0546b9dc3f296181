"""Host certificates: whether one that a machine shows was signed by an authority that known_hosts trusts."""

from __future__ import annotations

import base64
import fnmatch
import struct
import time
from collections.abc import Sequence

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import SSHCertificate, SSHCertificateType


def refusal(sent: bytes, host: str, authorities: Sequence[bytes], revoked: Sequence[bytes]) -> str | None:
    """Say why a certificate cannot stand for ``host``; empty if it can, None if no trusted authority signed it."""
    try:
        certificate = _read(sent)
        signer = _blob(certificate)
        if signer not in authorities:
            return None
        certificate.verify_cert_signature()
    except (ValueError, TypeError, UnsupportedAlgorithm, InvalidSignature, AssertionError):
        return "its signature is not valid"
    if signer in revoked:
        return "its authority is revoked"
    return _objection(certificate, host, time.time())


def _objection(certificate: SSHCertificate, host: str, now: float) -> str:
    principals = [name.decode(errors="replace") for name in certificate.valid_principals]
    if certificate.type is not SSHCertificateType.HOST:
        return "it is a user's certificate"
    if not certificate.valid_after <= now < certificate.valid_before:
        return "it is not valid at this time"
    if principals and not any(fnmatch.fnmatchcase(host.lower(), name.lower()) for name in principals):
        return f"it is for {', '.join(principals)}"
    if certificate.critical_options:
        return "it has critical options that are not understood"
    return ""


def _read(sent: bytes) -> SSHCertificate:
    (length,) = struct.unpack(">I", sent[:4])
    read = serialization.load_ssh_public_identity(sent[4 : 4 + length] + b" " + base64.b64encode(sent))
    if not isinstance(read, SSHCertificate):
        raise TypeError("no certificate")
    return read


def _blob(certificate: SSHCertificate) -> bytes:
    line = certificate.signature_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return base64.b64decode(line.split()[1])
