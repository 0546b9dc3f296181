"""Is it our authority that a found state holds: the API servers show whose certificates they serve."""

from __future__ import annotations

import hashlib
import re
import ssl
from collections.abc import Callable, Iterable

import msgspec

from rkx.errors import Refused, RkxError
from rkx.model.identity import KUBERNETES_CA
from rkx.model.resource import CredentialRef
from rkx.reconcile.api_client import API
from rkx.reconcile.content import part_of
from rkx.reconcile.link import Link
from rkx.reconcile.state import State
from rkx.reconcile.state_store import StateStore
from rkx.reconcile.tls_client import SERVER_NAME, tls_context

NOT_YET, ENDED = 9, 10
"""OpenSSL's X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED: such a server says nothing of its issuer."""


class Trust(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator says of the authority: its ``fingerprint``, or his answer when he is shown it."""

    fingerprint: str = ""
    confirm: Callable[[str], bool] = lambda _fingerprint: False

    def agrees(self, found: str) -> bool:
        """Return whether the operator knows this fingerprint, in whatever spelling."""
        if not self.fingerprint:
            return self.confirm(found)
        last = re.split(r"[=\s]", self.fingerprint.strip().lower().removeprefix("sha256:"))[-1]
        return last.replace(":", "") == found.partition(":")[2]


def fingerprint(state: State) -> str:
    """Return the SHA-256 of the Kubernetes authority's certificate, in hexadecimal; empty before there is one."""
    if KUBERNETES_CA not in state.credentials:
        return ""
    try:
        bundle = part_of(state, CredentialRef(identity=KUBERNETES_CA, what="ca-bundle")).decode()
        first = bundle[: bundle.index(ssl.PEM_FOOTER) + len(ssl.PEM_FOOTER)]
        return f"sha256:{hashlib.sha256(ssl.PEM_cert_to_DER_cert(first)).hexdigest()}"
    except (KeyError, ValueError) as error:
        raise Refused(
            "the state found on the nodes holds no certificate of its authority",
            hint="bring the cluster's own state back from a backup",
        ) from error


def confirm_authority(links: Iterable[Link], state: State, trust: Trust) -> str:
    """Say who confirms the authority of a found state: an API server that serves its certificates, or the operator.

    Raises Refused where an API server serves another authority's, or where no one confirms it.
    """
    found = fingerprint(state)
    if not found:
        return "it has no authority yet"
    serving = [link.name for link in links if _serves(link, state, found)]
    if serving:
        return f"its authority {found} issued what the API server of {', '.join(serving)} serves"
    if trust.agrees(found):
        return f"its authority {found} was confirmed"
    raise Refused(
        f"no API server answers that could confirm the authority of the state found on the nodes, {found}",
        hint=f"compare it with a kubeconfig of the cluster; if it is the same: --ca-fingerprint {found}",
    )


def _serves(link: Link, state: State, found: str) -> bool:
    context = tls_context(StateStore(state, None), KUBERNETES_CA, "")
    try:
        link.dial_tls(API, context, SERVER_NAME).close()
    except ssl.SSLCertVerificationError as error:
        if error.verify_code in (NOT_YET, ENDED):
            return False
        raise Refused(
            f"{link.name}: the API server there serves what the authority of the state found on the nodes, {found},"
            f" did not issue: {error.verify_message}",
            hint="bring the cluster's own state back from a backup",
        ) from error
    except (OSError, RkxError):
        return False
    return True
