"""What stands in issued certificates, and what is refused."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from msgspec.structs import replace
from tests.plugins.auth_x509.conftest import NOW, Enrol, Holder, issue_one, key_and_csr

import rkx
from rkx.model.identity import Life
from rkx_auth_x509 import X509Auth, X509Config

KUBELET = rkx.identity.Identity(
    name="kubelet-server-one",
    authority=rkx.identity.KUBERNETES_CA,
    common_name="system:node:one",
    organizations=("system:nodes",),
    sans=("one", "one.example.org", "192.0.2.7", "2001:db8::7"),
    usages=frozenset({"server"}),
)


def test_an_authority_signs_leaves_and_nothing_below(authority: Holder) -> None:
    certificate = authority.certificate
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage)
    assert constraints.critical
    assert constraints.value == x509.BasicConstraints(ca=True, path_length=0)
    assert usage.critical
    assert (usage.value.key_cert_sign, usage.value.crl_sign, usage.value.digital_signature) == (True, True, False)
    assert certificate.subject == certificate.issuer
    certificate.verify_directly_issued_by(certificate)


def test_a_leaf_carries_subject_names_and_usages(authority: Holder, enrol: Enrol) -> None:
    certificate = enrol(KUBELET, authority).certificate
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert names.get_values_for_type(x509.DNSName) == ["one", "one.example.org"]
    assert names.get_values_for_type(x509.IPAddress) == [ip_address("192.0.2.7"), ip_address("2001:db8::7")]
    assert list(purposes) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert [part.value for part in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)] == [
        "system:node:one"
    ]
    assert [part.value for part in certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)] == [
        "system:nodes"
    ]


def test_no_leaf_is_an_authority(authority: Holder, enrol: Enrol) -> None:
    certificate = enrol(KUBELET, authority).certificate
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
    assert (usage.digital_signature, usage.key_cert_sign, usage.crl_sign, usage.key_encipherment) == (
        True,
        False,
        False,
        False,
    )


def test_a_leaf_points_to_the_key_that_signed_it(authority: Holder, enrol: Enrol) -> None:
    leaf = enrol(KUBELET, authority).certificate
    above = leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    own = authority.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    assert above == own
    leaf.verify_directly_issued_by(authority.certificate)


def test_dates_allow_for_a_slow_clock_and_follow_the_options(authority: Holder) -> None:
    _, csr = key_and_csr()
    request = rkx.identity.IssueRequest(identity=KUBELET, csr=csr, signer=authority.authority)
    issued = issue_one(X509Auth(X509Config(leaf_days=10)), request)
    certificate = x509.load_pem_x509_certificate(issued.certificate)
    assert certificate.not_valid_before_utc == NOW - timedelta(minutes=5)
    assert certificate.not_valid_after_utc == NOW + timedelta(days=10)
    assert authority.certificate.not_valid_after_utc == NOW + timedelta(days=3650)


def test_a_leaf_lives_for_three_years_and_an_authority_for_ten_unless_told_otherwise(
    authority: Holder, enrol: Enrol
) -> None:
    assert enrol(KUBELET, authority).certificate.not_valid_after_utc == NOW + timedelta(days=1095)
    assert authority.certificate.not_valid_after_utc == NOW + timedelta(days=3650)


def test_a_leaf_that_nobody_renews_while_the_operator_is_away_lives_as_long_as_its_authority(
    authority: Holder, enrol: Enrol
) -> None:
    later = NOW + timedelta(days=100)
    lasting = enrol(replace(KUBELET, life="lasting"), authority, later)
    assert lasting.certificate.not_valid_after_utc == authority.certificate.not_valid_after_utc
    renewing = enrol(replace(KUBELET, life="self-renewed"), authority, later)
    assert renewing.certificate.not_valid_after_utc == later + timedelta(days=1095)


@pytest.mark.parametrize("life", ["limited", "lasting", "self-renewed"])
def test_leaf_days_hold_for_every_leaf(authority: Holder, life: Life) -> None:
    _, csr = key_and_csr()
    request = rkx.identity.IssueRequest(identity=replace(KUBELET, life=life), csr=csr, signer=authority.authority)
    issued = issue_one(X509Auth(X509Config(leaf_days=10)), request)
    assert x509.load_pem_x509_certificate(issued.certificate).not_valid_after_utc == NOW + timedelta(days=10)


def test_a_leaf_ends_with_its_authority_at_the_latest(authority: Holder, enrol: Enrol) -> None:
    late = NOW + timedelta(days=3600)
    assert enrol(KUBELET, authority, late).certificate.not_valid_after_utc == NOW + timedelta(days=3650)


def test_an_authority_that_is_over_signs_nothing(authority: Holder, enrol: Enrol) -> None:
    with pytest.raises(rkx.Refused, match=r"'kubernetes-ca' ended on 2036-05-14"):
        enrol(KUBELET, authority, NOW + timedelta(days=3650))


def test_a_tampered_csr_is_refused(plugin: X509Auth, authority: Holder) -> None:
    _, csr = key_and_csr()
    body = bytearray(x509.load_pem_x509_csr(csr).public_bytes(Encoding.DER))
    body[-1] ^= 1  # the last byte belongs to the signature
    forged = x509.load_der_x509_csr(bytes(body)).public_bytes(Encoding.PEM)
    request = rkx.identity.IssueRequest(identity=KUBELET, csr=forged, signer=authority.authority)
    with pytest.raises(rkx.RkxError, match="'kubelet-server-one' is not signed"):
        issue_one(plugin, request)


def test_a_signer_whose_key_is_anothers_is_refused(plugin: X509Auth, authority: Holder) -> None:
    other, csr = key_and_csr()
    mixed = replace(authority.authority, key=rkx.Secret(other))
    with pytest.raises(rkx.RkxError, match="does not belong to its certificate"):
        issue_one(plugin, rkx.identity.IssueRequest(identity=KUBELET, csr=csr, signer=mixed))


def test_a_leaf_without_its_signer_is_refused(plugin: X509Auth) -> None:
    _, csr = key_and_csr()
    with pytest.raises(rkx.RkxError, match="'kubernetes-ca'"):
        issue_one(plugin, rkx.identity.IssueRequest(identity=KUBELET, csr=csr))


def test_an_authority_for_another_key_is_refused(plugin: X509Auth, authority: Holder) -> None:
    _, csr = key_and_csr()
    request = rkx.identity.IssueRequest(identity=authority.identity, csr=csr, key=rkx.Secret(authority.key))
    with pytest.raises(rkx.RkxError, match="another key"):
        issue_one(plugin, request)


def test_key_pairs_and_secrets_get_no_certificate(plugin: X509Auth) -> None:
    request = rkx.identity.IssueRequest(identity=rkx.identity.Identity(name="service-account", kind="keypair"), csr=b"")
    assert issue_one(plugin, request) == rkx.identity.Issued(identity="service-account", certificate=b"")


def test_serials_differ_and_no_key_is_handed_out(authority: Holder, enrol: Enrol) -> None:
    first, second = enrol(KUBELET, authority), enrol(KUBELET, authority)
    assert first.certificate.serial_number != second.certificate.serial_number
    assert b"PRIVATE" not in first.issued.certificate + first.issued.chain
    assert isinstance(first.certificate.public_key(), ec.EllipticCurvePublicKey)
