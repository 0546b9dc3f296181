"""When credentials are due, by a fixed clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

import pytest
from msgspec.structs import replace
from tests.plugins.auth_x509.conftest import NOW

import rkx
from rkx_auth_x509 import X509Auth, X509Config

ROOT = rkx.identity.Identity(name=rkx.identity.KUBERNETES_CA, kind="authority", common_name=rkx.identity.KUBERNETES_CA)
LEAF = rkx.identity.Identity(
    name="kubelet-one", authority=rkx.identity.KUBERNETES_CA, common_name="system:node:one", sans=("one",)
)
PAIR = rkx.identity.Identity(name="service-account", kind="keypair")
KEY = rkx.identity.Identity(name="encryption", kind="secret", form="key: ${secret}")
ALL = (ROOT, LEAF, PAIR, KEY)
CLUSTER = rkx.Cluster(name="test", nodes=(), kubernetes_version="v1.34.4")


def saved(
    identity: rkx.identity.Identity, days: int | None = 900, authority_serial: str = ""
) -> rkx.identity.CredentialInfo:
    return rkx.identity.CredentialInfo(
        name=identity.name,
        serial=f"serial of {identity.name}",
        not_before=NOW if days else None,
        not_after=NOW + timedelta(days=days) if days else None,
        description=rkx.identity.describe(identity),
        authority_serial=authority_serial,
    )


def everything() -> dict[str, rkx.identity.CredentialInfo]:
    below = f"serial of {ROOT.name}"
    return {
        ROOT.name: saved(ROOT, days=3650),
        LEAF.name: saved(LEAF, authority_serial=below),
        PAIR.name: saved(PAIR, days=None),
        KEY.name: saved(KEY, days=None),
    }


def ask(
    state: Mapping[str, rkx.identity.CredentialInfo],
    after_days: float = 0,
    identities: Sequence[rkx.identity.Identity] = ALL,
) -> list[tuple[str, str]]:
    plugin = X509Auth(X509Config())
    found = plugin.rkx_renewals(
        cluster=CLUSTER, identities=identities, saved=state, now=NOW + timedelta(days=after_days)
    )
    return [(item.identity, item.reason) for item in found]


def test_all_is_missing_at_birth() -> None:
    assert ask({}) == [(identity.name, "missing") for identity in ALL]


def test_what_is_saved_and_valid_comes_back_unchanged() -> None:
    assert ask(everything()) == []


@pytest.mark.parametrize(("after_days", "due"), [(600, []), (600.001, [("kubelet-one", "expires 2028-11-02")])])
def test_a_leaf_is_renewed_in_the_last_third_of_its_life(after_days: float, due: list[tuple[str, str]]) -> None:
    assert ask(everything(), after_days) == due


def test_a_leaf_that_is_over_is_renewed() -> None:
    assert ask(everything(), 1000) == [("kubelet-one", "expires 2028-11-02")]


def test_only_leaves_are_renewed_for_their_age() -> None:
    state = everything()
    state[LEAF.name] = replace(state[LEAF.name], not_before=None, not_after=None)
    assert ask(state, 3649) == []


def test_a_changed_identity_is_issued_anew() -> None:
    state = everything()
    state[LEAF.name] = replace(state[LEAF.name], description=rkx.identity.describe(replace(LEAF, sans=("two",))))
    assert ask(state) == [("kubelet-one", "identity changed")]


@pytest.mark.parametrize("name", [ROOT.name, PAIR.name, KEY.name])
def test_what_others_rely_on_stays_when_its_description_changed(name: str) -> None:
    state = everything()
    state[name] = replace(state[name], description="another")
    assert ask(state) == []


def test_a_leaf_follows_its_authority() -> None:
    state = everything()
    state[ROOT.name] = replace(state[ROOT.name], serial="new")
    assert ask(state) == [("kubelet-one", "authority changed")]


def test_a_missing_authority_takes_its_leaves_with_it() -> None:
    state = everything()
    del state[ROOT.name]
    assert ask(state) == [("kubernetes-ca", "missing"), ("kubelet-one", "authority changed")]


def test_what_its_holder_renews_is_left_alone_until_it_is_over() -> None:
    own = (ROOT, replace(LEAF, life="self-renewed"))
    state = everything()
    assert ask(state, 899, own) == []
    end = NOW + timedelta(days=900)
    assert ask(state, 900, own) == [(LEAF.name, f"expired {end:%Y-%m-%d}")]


def test_what_ends_with_its_authority_is_not_renewed_in_vain() -> None:
    state = everything() | {LEAF.name: saved(LEAF, 3650, f"serial of {ROOT.name}")}
    assert ask(state, 3640) == []
    shorter = everything() | {LEAF.name: saved(LEAF, 3649, f"serial of {ROOT.name}")}
    assert [name for name, _ in ask(shorter, 3640)] == [LEAF.name]
