"""Credentials made as core makes them, by the plugin that is tried."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property

import msgspec
from msgspec.structs import replace

from rkx.model.identity import CredentialInfo, Identity, Renewal
from rkx.reconcile import credentials
from rkx.reconcile.state import new_state
from rkx.reconcile.state_store import StateStore
from rkx.testing.conformance.subject import Subject

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Issuing(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """One cluster's credentials, in memory."""

    subject: Subject

    @cached_property
    def identities(self) -> Mapping[str, Identity]:
        """Name the plugin's authorities, and for each a server, a client, and what has no certificate."""
        [cluster, *_] = self.subject.clusters
        own = self.subject.plugins.identities(cluster)
        leaves = [
            leaf for each in own if each.kind == "authority" for leaf in _leaves(each.name, cluster.nodes[0].name)
        ]
        others = [Identity(name="pair", kind="keypair"), Identity(name="word", kind="secret", form="word: ${secret}")]
        return {each.name: each for each in [*own, *leaves, *others]}

    @cached_property
    def store(self) -> StateStore:
        """Issue all that is due when nothing was saved yet."""
        store = StateStore(new_state(), None)
        credentials.issue(self.subject.plugins, store, self.identities, self.renewals({}), NOW)
        return store

    @property
    def saved(self) -> Mapping[str, CredentialInfo]:
        """Return what the state knows of these."""
        return self.store.state.saved()

    def renewals(self, saved: Mapping[str, CredentialInfo], now: datetime = NOW) -> list[Renewal]:
        """Ask what to make or renew."""
        [cluster, *_] = self.subject.clusters
        return self.subject.plugins.renewals(cluster, list(self.identities.values()), saved, now)

    def certificate(self, name: str) -> bytes:
        """Return an issued certificate, PEM."""
        return self.store.state.credentials[name].parts["certificate"].reveal()


def _leaves(authority: str, node: str) -> list[Identity]:
    leaf = Identity(name="", node=node, authority=authority)
    names = ("server.example", "192.0.2.1", "2001:db8::1")
    return [
        replace(leaf, name=f"server-of-{authority}", common_name="a-server", sans=names, usages=frozenset({"server"})),
        replace(
            leaf,
            name=f"client-of-{authority}",
            common_name="a-client",
            organizations=("a-group",),
            usages=frozenset({"client"}),
        ),
    ]
