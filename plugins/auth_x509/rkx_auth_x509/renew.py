"""When credentials are made or renewed: pure, and without a key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import rkx


def due(
    identities: Sequence[rkx.identity.Identity], saved: Mapping[str, rkx.identity.CredentialInfo], now: datetime
) -> list[rkx.identity.Renewal]:
    """List the credentials to make, each with the first reason that holds.

    Only leaves are ever renewed. A new authority, service account key or encryption key would cut off whatever still
    relies on the old one, so what exists of these stays, whatever its age or description.
    """
    reasons = [(identity.name, _reason(identity, saved, now)) for identity in identities]
    return [rkx.identity.Renewal(identity=name, reason=reason) for name, reason in reasons if reason]


def _reason(identity: rkx.identity.Identity, saved: Mapping[str, rkx.identity.CredentialInfo], now: datetime) -> str:
    own = saved.get(identity.name)
    if own is None:
        return "missing"
    if identity.kind != "leaf":
        return ""
    if own.description != rkx.identity.describe(identity):
        return "identity changed"
    authority = saved.get(identity.authority)
    if authority is None or authority.serial != own.authority_serial:
        return "authority changed"
    if identity.life == "self-renewed":
        return _over(own, now)
    return _nearing_end(own, authority, now)


def _nearing_end(own: rkx.identity.CredentialInfo, authority: rkx.identity.CredentialInfo, now: datetime) -> str:
    """Renew in the last third, unless a new one would end no later: none outlives its authority."""
    if own.not_before is None or own.not_after is None:
        return ""
    if own.not_after - now >= (own.not_after - own.not_before) / 3:
        return ""
    if authority.not_after is not None and authority.not_after <= own.not_after:
        return ""
    return f"expires {own.not_after:%Y-%m-%d}"


def _over(own: rkx.identity.CredentialInfo, now: datetime) -> str:
    """Replace a spare that would be of no use any more; what its holder has got itself meanwhile is not known here."""
    return f"expired {own.not_after:%Y-%m-%d}" if own.not_after is not None and own.not_after <= now else ""
