"""x509: every identity has a certificate of its own, signed by one of the cluster's three authorities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

import rkx
from rkx_auth_x509.renew import due

AUTHORITIES = (
    rkx.identity.KUBERNETES_CA,
    rkx.identity.DATASTORE_CA,
    rkx.identity.FRONT_PROXY_CA,
    rkx.identity.NODE_CLIENT_CA,
)
LEAF_DAYS = 1095


class X509Config(msgspec.Struct, frozen=True, kw_only=True):
    """What ``authentication.options.x509`` may hold.

    ``leaf_days`` is the life of every certificate, ``ca_days`` that of an authority; both hold for what is issued from
    now on. Without ``leaf_days`` it is three years, and for what is not renewed while the operator is away as long as
    that of its authority.
    """

    leaf_days: int | None = None
    ca_days: int = 3650


class X509Auth(rkx.AuthPlugin[X509Config]):
    """Authorities and certificates that rkx makes itself, kept in the state."""

    name = "x509"
    api = 0
    Config = X509Config

    @rkx.hookimpl
    def rkx_validate(self, cluster: rkx.Cluster) -> Sequence[rkx.Problem]:
        """Refuse a validity below one day, and leaves that are meant to outlive their authority."""
        chosen = next((ref for ref in cluster.auth if ref.name == self.name), None)
        places = chosen.options_where if chosen else {}
        leaf_days = self.config.leaf_days
        lives = {"leaf_days": leaf_days, "ca_days": self.config.ca_days}
        problems = [
            rkx.Problem(where=_place(places, option), message=f"{option} is {days}, less than one day")
            for option, days in lives.items()
            if days is not None and days < 1
        ]
        if leaf_days is not None and leaf_days > self.config.ca_days:
            message = f"leaf_days {leaf_days} is more than ca_days {self.config.ca_days}"
            hint = "a certificate ends with its authority at the latest; raise ca_days or lower leaf_days"
            problems.append(rkx.Problem(where=_place(places, "leaf_days"), message=message, hint=hint))
        return problems

    @rkx.hookimpl
    def rkx_identities(self, cluster: rkx.Cluster) -> Sequence[rkx.identity.Identity]:
        """Name the authorities; whoever needs a leaf names it and its authority."""
        return [rkx.identity.Identity(name=name, kind="authority", common_name=name) for name in AUTHORITIES]

    @rkx.hookimpl
    def rkx_renewals(
        self,
        cluster: rkx.Cluster,
        identities: Sequence[rkx.identity.Identity],
        saved: Mapping[str, rkx.identity.CredentialInfo],
        now: datetime,
    ) -> Sequence[rkx.identity.Renewal]:
        """Say what is missing, has changed or nears its end."""
        return due(identities, saved, now)

    @rkx.hookimpl
    def rkx_issue(
        self, requests: Sequence[rkx.identity.IssueRequest], now: datetime
    ) -> Sequence[rkx.identity.Issued | rkx.identity.Pending]:
        """Sign at once; nothing here waits."""
        from rkx_auth_x509.issue import issue  # cryptography takes long to load and planning does without

        return [issue(request, self._days(request.identity), now) for request in requests]

    def _days(self, identity: rkx.identity.Identity) -> int:
        if identity.kind == "authority":
            return self.config.ca_days
        return self.config.leaf_days or (self.config.ca_days if identity.life == "lasting" else LEAF_DAYS)

    @rkx.hookimpl
    def rkx_auth_settings(self, cluster: rkx.Cluster, facts: rkx.Facts) -> rkx.AuthSettings:
        """Let nodes' next certificates be signed in the cluster; services name their authorities' files themselves."""
        return rkx.AuthSettings(node_signer=rkx.identity.NODE_CLIENT_CA)


def _place(places: Mapping[str, str], option: str) -> str:
    return places.get(option, f"authentication.options.x509.{option}")
