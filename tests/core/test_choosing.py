"""What cluster.yml chooses of all that is installed: nothing else is imported, and what is not there has its place."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from tests.core.cli.conftest import rkx
from tests.core.conftest import Install

from rkx import api

BASE = """\
kubernetes_version: v1.34.11
ssh_key_path: ./id
nodes:
  - {address: 10.0.0.5, user: u, role: [controlplane, etcd, worker]}
ingress: {provider: none}
network: {plugin: flannel}
"""
PUBLIC = "known in layout 'public' are v1.30.14, "
INSTALLED = "did you mean 'coredns'? installed: coredns, manifests, metrics-server; "
WRONG = [
    (
        f"{BASE}addon_plugins: [{{name: cordns}}]\n",
        "7:24: addon_plugins[0].name: no addon plugin named 'cordns'",
        INSTALLED,
    ),
    (
        BASE.replace("flannel", "flanel"),
        "6:19: network.plugin: no network plugin named 'flanel'",
        "did you mean 'flannel'?",
    ),
    (
        BASE.replace("flannel}", "flannel, options: {flannel_ifaces: eth1}}"),
        '6:38: network.options.flannel_ifaces: unknown key "ifaces"',
        'did you mean "iface"?',
    ),
    (
        f"{BASE}authentication: {{options: {{x509: {{leafdays: 3}}}}}}\n",
        '7:35: authentication.options.x509.leafdays: unknown key "leafdays"',
        'did you mean "leaf_days"?',
    ),
    (BASE.replace("v1.34.11", "v1.37.0"), "1:21: kubernetes_version: no image of Kubernetes v1.37.0", PUBLIC),
    (
        BASE.replace("v1.34.11", "v1.99.0"),
        "1:21: kubernetes_version: v1.99.0 is a version that rkx does not know",
        PUBLIC,
    ),
]


@pytest.mark.parametrize(("text", "says", "hint"), WRONG)
def test_what_is_not_there_is_one_mistake_with_place_and_hint_and_exits_3(
    file: Path, text: str, says: str, hint: str
) -> None:
    file.write_text(text)
    result = rkx("validate", "--file", str(file))
    assert result.exit_code == 3
    assert result.stderr.count("hint: ") == 1
    assert f"{file}:{says}" in result.stderr
    assert f"hint: {hint}" in result.stderr


def test_a_mistake_in_what_all_nodes_share_is_told_once(file: Path) -> None:
    second = "  - {address: 10.0.0.6, user: u, role: [worker]}\ningress"
    file.write_text(f"{BASE.replace('ingress', second)}transport_options: {{host_kyes: strict}}\n")
    result = rkx("validate", "--file", str(file))
    assert result.exit_code == 3
    assert result.stderr.count("unknown key") == 1
    assert f"{file}:8:21: transport_options.host_kyes: unknown key" in result.stderr


def test_the_file_without_a_mistake_is_valid(file: Path) -> None:
    file.write_text(BASE)
    assert rkx("validate", "--file", str(file)).exit_code == 0


def test_of_the_installed_plugins_only_those_that_the_file_names_are_imported(file: Path, install: Install) -> None:
    unnamed, named = install("unnamed-thing", "unnamed"), install("named-thing", "named")
    file.write_text(f"{BASE}addon_plugins: [{{name: named}}]\n")
    api.load(file)
    assert named in sys.modules
    assert unnamed not in sys.modules
