"""When the certificates of a cluster end, told in time: nothing works after that."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

import msgspec

from rkx.errors import Problem
from rkx.model.identity import Identity, IdentityKind
from rkx.reconcile.state import State

NOTICE = timedelta(days=90)
LAST_PART = 3
"""Certificates are renewed in the last third of their validity, so a short one does not warn before that."""
HINTS = {
    "authority": "CA rotation is not supported yet; recreate the cluster before that date",
    "leaf": "rkx up renews it",
}
WORDS = {"authority": "the authority", "leaf": "the certificate"}


class End(msgspec.Struct, frozen=True, kw_only=True):
    """When an authority, or what one has signed, ends; ``life`` is how long it was made for."""

    name: str
    kind: IdentityKind
    at: datetime
    life: timedelta


def first_ends(state: State, identities: Collection[Identity]) -> list[End]:
    """Return the authority that ends first, then the certificate of the others that does, of what is in use.

    A certificate that ends with its authority is not reported: reissuing it would gain nothing.
    """
    found = [
        end for identity in identities if (end := _end(state, identity)) is not None and _is_first(state, identity)
    ]
    kinds = ([end for end in found if end.kind == kind] for kind in WORDS)
    return [min(those, key=lambda end: end.at) for those in kinds if those]


def _is_first(state: State, identity: Identity) -> bool:
    """Return whether it is rkx that makes the next one, before its authority ends."""
    own, authority = (state.credentials.get(name) for name in (identity.name, identity.authority))
    if identity.life == "self-renewed":
        return False
    ends = [each.saved.not_after for each in (own, authority) if each is not None and each.saved.not_after is not None]
    return len(ends) < 2 or ends[0] < ends[1]


def _end(state: State, identity: Identity) -> End | None:
    credential = state.credentials.get(identity.name)
    if credential is None or credential.saved.not_after is None or credential.saved.not_before is None:
        return None
    saved, end = credential.saved, credential.saved.not_after
    return End(name=saved.name, kind=identity.kind, at=end, life=end - credential.saved.not_before)


def expiring(state: State, identities: Collection[Identity], now: datetime) -> Iterator[Problem]:
    """Warn of what ends within 90 days, or has ended."""
    for end in first_ends(state, identities):
        if end.at - now < (NOTICE if end.kind == "authority" else min(NOTICE, end.life / LAST_PART)):
            message = f"{WORDS[end.kind]} {end.name} {'ended' if end.at < now else 'ends'} on {end.at:%Y-%m-%d}"
            yield Problem(where="certificates", message=message, hint=HINTS[end.kind], warning=True)
