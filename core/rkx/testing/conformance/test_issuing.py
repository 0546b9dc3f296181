"""Laws for who issues credentials."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from msgspec.structs import replace

from rkx.model.identity import Identity
from rkx.testing.conformance.issuing import NOW, Issuing
from rkx.testing.conformance.subject import Subject

STAGES = ("auth",)
HOOK = "rkx_issue"
PURPOSES = {"server": ExtendedKeyUsageOID.SERVER_AUTH, "client": ExtendedKeyUsageOID.CLIENT_AUTH}


@pytest.fixture(scope="module")
def issuing(subject: Subject) -> Issuing:
    """Issue once, for all laws."""
    return Issuing(subject=subject)


def test_what_is_missing_is_due(issuing: Issuing) -> None:
    """Where nothing was saved, every identity is due, with a reason."""
    due = issuing.renewals({})
    assert {each.identity for each in due} == set(issuing.identities)
    assert all(each.reason for each in due)


def test_what_is_saved_and_valid_comes_back_unchanged(issuing: Issuing) -> None:
    """Right after all was issued, nothing is due."""
    assert issuing.renewals(issuing.saved) == []


def test_leaves_are_renewed_before_they_end(issuing: Issuing) -> None:
    """An hour before a leaf ends it is due, as core has no other moment to ask."""
    for name, identity in issuing.identities.items():
        end = issuing.saved[name].not_after
        if identity.kind == "leaf" and end is not None:
            due = {each.identity for each in issuing.renewals(issuing.saved, end - timedelta(hours=1))}
            assert name in due


def test_a_changed_leaf_is_due_alone(issuing: Issuing) -> None:
    """What was issued for another description is reissued, and nothing else is."""
    [name, *_] = [each.name for each in issuing.identities.values() if each.kind == "leaf"]
    changed = {**issuing.saved, name: replace(issuing.saved[name], description="another one")}
    assert [each.identity for each in issuing.renewals(changed)] == [name]


def test_leaves_are_signed_by_their_authority(issuing: Issuing) -> None:
    """Each one verifies with the authority that its identity names."""
    for identity, leaf in _leaves(issuing):
        try:
            leaf.verify_directly_issued_by(_certificate(issuing, identity.authority))
        except (ValueError, InvalidSignature) as error:
            pytest.fail(f"{identity.name} is not signed by {identity.authority}: {error}")


def test_leaves_serve_for_what_was_asked(issuing: Issuing) -> None:
    """Subject, names and usages are those of the identity."""
    for identity, leaf in _leaves(issuing):
        assert _names(leaf, NameOID.COMMON_NAME) == [identity.common_name]
        assert _names(leaf, NameOID.ORGANIZATION_NAME) == list(identity.organizations)
        assert _sans(leaf) == set(identity.sans)
        usages = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        assert set(usages) == {PURPOSES[usage] for usage in identity.usages}


def test_leaves_are_valid_now(issuing: Issuing) -> None:
    """A certificate holds from its moment of issue, and not beyond its authority."""
    for identity, leaf in _leaves(issuing):
        assert leaf.not_valid_before_utc <= NOW < leaf.not_valid_after_utc
        assert leaf.not_valid_after_utc <= _certificate(issuing, identity.authority).not_valid_after_utc


def test_no_leaf_can_act_as_an_authority(issuing: Issuing) -> None:
    """A leaf says that it signs nothing; an authority says that it does."""
    for identity, leaf in _leaves(issuing):
        assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        authority = _certificate(issuing, identity.authority)
        assert authority.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_no_key_is_among_what_is_issued(issuing: Issuing) -> None:
    """Certificates are public; keys stay with core."""
    for name, identity in issuing.identities.items():
        if identity.kind in ("authority", "leaf"):
            assert b"PRIVATE KEY" not in issuing.certificate(name)


def _leaves(issuing: Issuing) -> Iterator[tuple[Identity, x509.Certificate]]:
    for name, identity in issuing.identities.items():
        if identity.kind == "leaf":
            yield identity, _certificate(issuing, name)


def _certificate(issuing: Issuing, name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(issuing.certificate(name))


def _names(certificate: x509.Certificate, what: x509.ObjectIdentifier) -> list[str]:
    return [str(each.value) for each in certificate.subject.get_attributes_for_oid(what)]


def _sans(certificate: x509.Certificate) -> set[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return set()
    return {
        str(each) for each in [*found.get_values_for_type(x509.DNSName), *found.get_values_for_type(x509.IPAddress)]
    }
