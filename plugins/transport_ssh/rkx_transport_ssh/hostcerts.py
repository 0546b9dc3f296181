"""Host certificates: whether one that a machine shows was signed by an authority that known_hosts trusts."""

from __future__ import annotations

import base64
import struct
import time
from collections.abc import Sequence

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import SSHCertificate, SSHCertificateType
from paramiko.message import Message

from rkx_transport_ssh.algorithms import KEYS
from rkx_transport_ssh.host_names import pattern_matches


def refusal(sent: bytes, host: str, authorities: Sequence[bytes]) -> str | None:
    """Say why a certificate cannot stand for ``host``; empty if it can, None if no trusted authority signed it."""
    try:
        certificate = _read(sent)
        signer = _blob(certificate)
        if signer not in authorities:
            return None
        certificate.verify_cert_signature()
    except (ValueError, TypeError, UnsupportedAlgorithm, InvalidSignature, AssertionError):
        return "its signature is not valid"
    if _signed_as(sent, signer) not in KEYS:
        return "its authority signed it with SHA-1"
    return _objection(certificate, host, time.time())


def _objection(certificate: SSHCertificate, host: str, now: float) -> str:
    principals = [name.decode(errors="replace") for name in certificate.valid_principals]
    if certificate.type is not SSHCertificateType.HOST:
        return "it is a user's certificate"
    if not certificate.valid_after <= now < certificate.valid_before:
        return "it is not valid at this time"
    if principals and not any(pattern_matches(name.lower(), host) for name in principals):
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


def _signed_as(sent: bytes, signer: bytes) -> str:
    """Name the algorithm of the signature, which follows the authority's key at the end of a certificate."""
    _, _, signature = sent.rpartition(struct.pack(">I", len(signer)) + signer)
    return Message(Message(signature).get_binary()).get_text()


def _blob(certificate: SSHCertificate) -> bytes:
    line = certificate.signature_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return base64.b64decode(line.split()[1])
