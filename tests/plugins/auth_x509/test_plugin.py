"""The plugin as core meets it."""

from __future__ import annotations

import subprocess
import sys

from tests.conftest import decoded

import rkx
from rkx_auth_x509 import X509Auth, X509Config

REF = rkx.PluginRef(stage="auth", name="x509", options_where={"leaf_days": "authentication.options.x509.leaf_days"})
CLUSTER = rkx.Cluster(name="test", nodes=(), kubernetes_version="v1.34.4", auth=(REF,))


def test_four_authorities_are_asked_for() -> None:
    found = X509Auth(X509Config()).rkx_identities(cluster=CLUSTER)
    assert {identity.name: (identity.kind, identity.common_name) for identity in found} == {
        "kubernetes-ca": ("authority", "kubernetes-ca"),
        "etcd-ca": ("authority", "etcd-ca"),
        "front-proxy-ca": ("authority", "front-proxy-ca"),
        "node-client-ca": ("authority", "node-client-ca"),
    }


def test_default_lives_are_accepted() -> None:
    assert X509Auth(X509Config()).rkx_validate(cluster=CLUSTER) == []


def test_a_life_of_no_day_is_refused() -> None:
    problems = X509Auth(X509Config(leaf_days=0)).rkx_validate(cluster=CLUSTER)
    assert [(problem.where, problem.message) for problem in problems] == [
        ("authentication.options.x509.leaf_days", "leaf_days is 0, less than one day")
    ]


def test_leaves_that_would_outlive_their_authority_are_refused() -> None:
    problems = X509Auth(X509Config(leaf_days=20, ca_days=10)).rkx_validate(cluster=CLUSTER)
    assert [problem.message for problem in problems] == ["leaf_days 20 is more than ca_days 10"]


def test_nodes_renew_by_an_authority_of_their_own_and_nothing_is_added_to_the_api_server() -> None:
    settings = X509Auth(X509Config()).rkx_auth_settings(cluster=CLUSTER, facts={})
    assert settings == rkx.AuthSettings(node_signer=rkx.identity.NODE_CLIENT_CA)


def test_an_authority_may_be_of_a_shorter_life_than_leaves_are_by_default() -> None:
    assert X509Auth(X509Config(ca_days=365)).rkx_validate(cluster=CLUSTER) == []


def test_planning_does_without_cryptography() -> None:
    code = "import sys; import rkx_auth_x509; sys.exit('cryptography' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_options_decode() -> None:
    assert decoded(X509Config, {"leaf_days": 30}) == X509Config(leaf_days=30)
