"""Certificates for tests, signed with the cluster's own keys; and those that kubelets hold."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from authority import part, state
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from harness import Cluster

FOLDER = "/var/lib/kubelet/pki"
CURRENT = "kubelet-client-current.pem"
SPARE = "/etc/kubernetes/kubelet/client.crt"


def subject(user: str, groups: Sequence[str]) -> x509.Name:
    """Name a user of Kubernetes and his groups."""
    names = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    return x509.Name([*names, x509.NameAttribute(NameOID.COMMON_NAME, user)])


def request(user: str, groups: Sequence[str]) -> str:
    """Make a request for a certificate, in base64 as a CertificateSigningRequest holds it."""
    key = ec.generate_private_key(ec.SECP256R1())
    made = x509.CertificateSigningRequestBuilder().subject_name(subject(user, groups)).sign(key, hashes.SHA256())
    return base64.b64encode(made.public_bytes(Encoding.PEM)).decode()


def client(cluster: Cluster, user: str, groups: Sequence[str], since: timedelta, rest: timedelta) -> tuple[str, str]:
    """Make a client's certificate and key, signed with the key of the cluster's authority."""
    authority = x509.load_pem_x509_certificate(part(cluster, "kubernetes-ca", "certificate"))
    signer = load_pem_private_key(part(cluster, "kubernetes-ca", "key"), None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject(user, groups))
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - since)
        .not_valid_after(now + rest)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(signer, hashes.SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return made.public_bytes(Encoding.PEM).decode(), pem.decode()


def own_folder(cluster: Cluster) -> str:
    """Say where the kubelets of a cluster keep the certificates that they get themselves."""
    return f"{FOLDER}/{state(cluster)['cluster_id']}"


def held(cluster: Cluster, machine: str) -> x509.Certificate:
    """Return the certificate by which a machine's kubelet speaks to the API server."""
    own = f"{own_folder(cluster)}/{CURRENT}"  # a kubelet that exchanges it takes the old one away first
    text = cluster.on(machine, "sh", "-c", f"cat {own} 2>/dev/null || cat {SPARE}")
    return x509.load_pem_x509_certificate(text.encode())


def issued(cluster: Cluster, machine: str) -> x509.Certificate:
    """Return the certificate that rkx issued to a machine's kubelet: its first one, and its spare."""
    return x509.load_pem_x509_certificate(cluster.on(machine, "cat", SPARE).encode())


def is_self_renewed(certificate: x509.Certificate) -> bool:
    """Tell a certificate that was signed in the cluster from one that rkx issued."""
    [issuer] = certificate.issuer.get_attributes_for_oid(NameOID.COMMON_NAME)
    return issuer.value == "node-client-ca"
