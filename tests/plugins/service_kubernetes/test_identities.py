"""Who gets which credentials."""

from __future__ import annotations

import json
from collections.abc import Iterator

from msgspec.structs import replace
from tests.plugins.service_kubernetes.conftest import CLUSTER, PLAIN, machine, only, resources

import rkx
from rkx_service_kubernetes import KubernetesService

NODES = (*CLUSTER.nodes, replace(machine("four", 4, "controlplane", "etcd"), internal_address="10.0.0.4"))
WIDE = replace(CLUSTER, nodes=NODES, sans=("api.example.org",), service_cidr="10.43.0.0/16,fd00::/112")


def identities(cluster: rkx.Cluster = WIDE) -> dict[str, rkx.identity.Identity]:
    return {each.name: each for each in KubernetesService(PLAIN).rkx_identities(cluster)}


def test_each_kubelet_has_its_own_name_in_the_cluster() -> None:
    for node in NODES:
        mine = identities()[f"kubelet@{node.name}"]
        assert (mine.common_name, mine.organizations, mine.node) == (
            f"system:node:{node.name}",
            ("system:nodes",),
            node.name,
        )
        assert mine.usages == {"client"}
        assert identities()[f"kubelet-serving@{node.name}"].usages == {"server"}


def test_the_api_server_answers_to_every_name_it_is_called_by() -> None:
    assert set(identities()["kube-apiserver@four"].sans) == {
        "four", "192.0.2.4", "10.0.0.4", "api.example.org", "127.0.0.1", "localhost", "10.43.0.1", "fd00::1",
        "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local",
    }  # fmt: skip


def test_etcds_clients_and_members_are_signed_by_the_datastores_authority_alone() -> None:
    signed = {name for name, each in identities().items() if each.authority == rkx.identity.DATASTORE_CA}
    assert signed == {
        "etcd@one", "etcd-peer@one", "etcd@four", "etcd-peer@four", "etcd-rkx",
        "kube-apiserver-etcd-client@one", "kube-apiserver-etcd-client@four",
    }  # fmt: skip


def test_only_super_admin_is_above_all_roles() -> None:
    masters = [each.name for each in identities().values() if "system:masters" in each.organizations]
    assert masters == [rkx.identity.SUPER_ADMIN]
    assert identities()[rkx.identity.ADMIN].organizations == ("rkx:cluster-admins",)
    assert (identities()[rkx.identity.INSTALLER].common_name, identities()[rkx.identity.INSTALLER].organizations) == (
        "rkx:installer",
        (),
    )


def test_who_is_administrator_is_bound_by_name_before_all_else() -> None:
    found = {each.name: each for each in only(rkx.Manifest, resources("one", cluster=WIDE))}
    assert [name for name, each in found.items() if each.grants] == ["kubernetes-admins"]
    [binding] = json.loads(found["kubernetes-admins"].text)["items"]
    assert binding["roleRef"]["name"] == "cluster-admin"
    subjects = {(subject["kind"], subject["name"]) for subject in binding["subjects"]}
    assert subjects == {("Group", "rkx:cluster-admins"), ("User", "rkx:installer")}


def test_a_worker_holds_no_key_of_the_control_plane() -> None:
    held = {part.identity for part in parts("two", "key")}
    assert held == {"kubelet@two", "kubelet-serving@two", "kube-proxy@two"}


def test_every_credential_in_a_file_is_one_that_was_asked_for() -> None:
    authorities = {
        rkx.identity.KUBERNETES_CA,
        rkx.identity.DATASTORE_CA,
        rkx.identity.FRONT_PROXY_CA,
        rkx.identity.NODE_CLIENT_CA,
    }
    known = identities().keys() | authorities
    for node in NODES:
        assert {part.identity for part in parts(node.name)} <= known


def test_a_key_lies_on_no_other_node_than_its_own() -> None:
    for node in NODES:
        keys = {part.identity for part in parts(node.name, "key")} - {rkx.identity.NODE_CLIENT_CA}
        owners = {identities()[name].node for name in keys}
        assert owners <= {node.name, ""}


def test_probes_and_calls_go_by_identities_that_exist() -> None:
    found = [each for node in NODES for each in only(rkx.Container, resources(node.name, cluster=WIDE))]
    named = {each.probe.identity for each in found if each.probe and each.probe.identity}
    assert named == {"etcd-rkx", rkx.identity.INSTALLER}
    assert named <= identities().keys()


def parts(node: str, what: str = "") -> Iterator[rkx.CredentialRef]:
    for file in only(rkx.File, resources(node, cluster=WIDE)):
        if isinstance(file.content, rkx.CredentialRef) and what in ("", file.content.what):
            yield file.content
