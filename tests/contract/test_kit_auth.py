"""The conformance kit's laws of authentication, each broken by a signer that its law must find."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import Any

import pytest
from msgspec.structs import replace
from tests.contract.kit import Law, breaks

import rkx
from rkx.testing.conformance import test_auth, test_issuing
from rkx.testing.conformance.subject import Subject, given
from rkx_auth_x509 import X509Auth, X509Config
from rkx_auth_x509 import issue as x509_issue
from rkx_auth_x509.extensions import authority_extensions

Change = Callable[[rkx.identity.IssueRequest], rkx.identity.IssueRequest]


class Signer(X509Auth):
    """rkx's own, with one thing wrong."""

    reasons: (
        Callable[
            [Sequence[rkx.identity.Identity], Mapping[str, rkx.identity.CredentialInfo]], Sequence[rkx.identity.Renewal]
        ]
        | None
    ) = None
    ahead = timedelta()
    change: Change = staticmethod(lambda request: request)
    mixes = False
    tail = b""
    arguments: Mapping[str, str] = {}
    files: Sequence[rkx.File] = ()

    @rkx.hookimpl
    def rkx_renewals(
        self,
        cluster: rkx.Cluster,
        identities: Sequence[rkx.identity.Identity],
        saved: Mapping[str, rkx.identity.CredentialInfo],
        now: datetime,
    ) -> Sequence[rkx.identity.Renewal]:
        reasons = type(self).reasons
        return reasons(identities, saved) if reasons else super().rkx_renewals(cluster, identities, saved, now)

    @rkx.hookimpl
    def rkx_issue(
        self, requests: Sequence[rkx.identity.IssueRequest], now: datetime
    ) -> Sequence[rkx.identity.Issued | rkx.identity.Pending]:
        wanted = [type(self).change(request) for request in requests]
        if self.mixes and wanted[0].signer:
            wanted = [replace(each, signer=wanted[0].signer) for each in wanted]
        made = super().rkx_issue(wanted, now + self.ahead)
        issued = [each for each in made if isinstance(each, rkx.identity.Issued)]
        return [replace(each, certificate=each.certificate + self.tail) for each in issued]

    @rkx.hookimpl
    def rkx_auth_settings(self, cluster: rkx.Cluster, facts: rkx.Facts) -> rkx.AuthSettings:
        return rkx.AuthSettings(arguments=self.arguments, files=tuple(self.files))


def signer(**attributes: Any) -> Subject:  # noqa: ANN401 - any attribute
    functions = {name: staticmethod(value) if callable(value) else value for name, value in attributes.items()}
    made: type[Signer] = type("Made", (Signer,), functions)
    return given(made(X509Config()))


def missing(
    identities: Sequence[rkx.identity.Identity], saved: Mapping[str, rkx.identity.CredentialInfo]
) -> list[rkx.identity.Renewal]:
    return [rkx.identity.Renewal(identity=each.name, reason="missing") for each in identities if each.name not in saved]


def always(
    identities: Sequence[rkx.identity.Identity], saved: Mapping[str, rkx.identity.CredentialInfo]
) -> list[rkx.identity.Renewal]:
    return [rkx.identity.Renewal(identity=each.name, reason="as always") for each in identities]


def nameless(request: rkx.identity.IssueRequest) -> rkx.identity.IssueRequest:
    return replace(request, identity=replace(request.identity, sans=()))


OPEN = rkx.File(node="n", path=PurePosixPath("/etc/kubernetes/hook"), content=rkx.Secret(b"token"), mode=0o644)
KEY = b"-----BEGIN PRIVATE KEY-----\n"
SIGNERS: list[tuple[Law, dict[str, object]]] = [
    (test_issuing.test_what_is_missing_is_due, {"reasons": lambda identities, saved: []}),
    (test_issuing.test_what_is_saved_and_valid_comes_back_unchanged, {"reasons": always}),
    (test_issuing.test_leaves_are_renewed_before_they_end, {"reasons": missing}),
    (test_issuing.test_a_changed_leaf_is_due_alone, {"reasons": missing}),
    (test_issuing.test_leaves_are_signed_by_their_authority, {"mixes": True}),
    (test_issuing.test_leaves_serve_for_what_was_asked, {"change": nameless}),
    (test_issuing.test_leaves_are_valid_now, {"ahead": timedelta(days=1)}),
    (test_issuing.test_no_key_is_among_what_is_issued, {"tail": KEY}),
    (test_auth.test_arguments_are_names_and_texts, {"arguments": {"--oidc-issuer-url": "https://example"}}),
    (test_auth.test_arguments_are_names_and_texts, {"files": [OPEN]}),
]


@pytest.mark.parametrize(("law", "attributes"), SIGNERS)
def test_what_breaks_a_law_of_authentication_is_found(law: Law, attributes: dict[str, object]) -> None:
    breaks(law, signer(**attributes))


def test_a_leaf_that_can_sign_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(x509_issue, "leaf_extensions", lambda _identity, public, _signer: authority_extensions(public))
    breaks(test_issuing.test_no_leaf_can_act_as_an_authority, signer())
