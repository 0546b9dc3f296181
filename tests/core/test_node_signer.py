"""Where an auth plugin lets nodes' certificates be signed in the cluster, their holders renew them; else rkx does."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

import rkx
from rkx.errors import PluginFault
from rkx.registry import Chosen, Plugins
from rkx.testing.world import NoOptions

CLUSTER = rkx.Cluster(name="test", nodes=(), kubernetes_version="v1.34.4")


class Issuer(rkx.AuthPlugin[NoOptions]):
    """Has an authority for nodes, or none, and a node that renews itself."""

    Config = NoOptions

    def __init__(self, name: str, signer: str) -> None:
        super().__init__(NoOptions())
        self.name, self.signer = name, signer  # type: ignore[misc] # each of its own name

    @rkx.hookimpl
    def rkx_auth_settings(self, cluster: rkx.Cluster, facts: rkx.Facts) -> rkx.AuthSettings:
        return rkx.AuthSettings(node_signer=self.signer)

    @rkx.hookimpl
    def rkx_identities(self, cluster: rkx.Cluster) -> Sequence[rkx.identity.Identity]:
        names = [self.signer] if self.signer else []
        node = rkx.identity.Identity(name=f"node-of-{self.name}", life="self-renewed")
        return [node, *(rkx.identity.Identity(name=name, kind="authority") for name in names)]


def plugins(*issuers: Issuer) -> Plugins:
    refs = [rkx.PluginRef(stage="auth", name=each.name) for each in issuers]
    return Plugins([Chosen(ref=r, plugin=p, owner=f"{p.name}-thing") for r, p in zip(refs, issuers, strict=True)])


def test_with_such_an_authority_its_name_goes_to_services_and_nodes_renew_themselves() -> None:
    chosen = plugins(Issuer("plain", ""), Issuer("made", rkx.identity.NODE_CLIENT_CA))
    assert chosen.auth_settings(CLUSTER, {}).node_signer == rkx.identity.NODE_CLIENT_CA
    lives = {each.name: each.life for each in chosen.identities(CLUSTER)}
    assert lives["node-of-made"] == "self-renewed"


def test_without_one_what_nodes_hold_lasts() -> None:
    chosen = plugins(Issuer("plain", ""))
    assert chosen.auth_settings(CLUSTER, {}).node_signer == ""
    assert [each.life for each in chosen.identities(CLUSTER)] == ["lasting"]


def test_two_that_would_sign_are_refused() -> None:
    chosen = plugins(Issuer("one", rkx.identity.NODE_CLIENT_CA), Issuer("two", "other-ca"))
    with pytest.raises(PluginFault, match="other-ca cannot sign for nodes"):
        chosen.auth_settings(CLUSTER, {})
