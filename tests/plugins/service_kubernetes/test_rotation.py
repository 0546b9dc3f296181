"""Kubelets renew their client certificates by themselves: who asks, who agrees, who signs, who trusts it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace
from tests.plugins.service_kubernetes.conftest import (
    CLUSTER,
    PLAIN,
    containers,
    content,
    machine,
    only,
    resources,
)

import rkx
from rkx_service_kubernetes import KubernetesService
from rkx_service_kubernetes.config import Kubelet, KubernetesConfig, Program

UNSIGNED = rkx.AuthSettings(arguments={"authentication-config": "/etc/made/auth.yaml"})
"""What an auth plugin says that has no authority to sign with in the cluster."""
WIDE = replace(CLUSTER, nodes=(*CLUSTER.nodes, machine("four", 4, "controlplane", "etcd")))


def kubelet(found: Sequence[rkx.Resource]) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(content(found, "/etc/kubernetes/kubelet/config.yaml"))
    return values


def flags(found: Sequence[rkx.Resource], container: str) -> dict[str, str]:
    pairs = (word.removeprefix("--").partition("=") for word in containers(found)[container].argv)
    return {name: value for name, _, value in pairs}


def signing(found: Sequence[rkx.Resource]) -> set[str]:
    return {name for name in flags(found, "kube-controller-manager") if name.startswith("cluster-signing")}


def bindings(found: Sequence[rkx.Resource]) -> dict[str, dict[str, Any]]:
    manifest = next(each for each in only(rkx.Manifest, found) if each.name == "kubernetes-rbac")
    return {item["metadata"]["name"]: item for item in json.loads(manifest.text)["items"]}


def holders(what: str) -> set[tuple[str, str]]:
    """Name node and service of each file with that part of the nodes' authority."""
    files = [(node.name, file) for node in WIDE.nodes for file in only(rkx.File, resources(node.name, cluster=WIDE))]
    parts = [(node, file.path, file.content) for node, file in files if isinstance(file.content, rkx.CredentialRef)]
    return {
        (node, path.parent.name)
        for node, path, part in parts
        if rkx.identity.NODE_CLIENT_CA in part.identities and part.what == what
    }


def test_every_kubelet_renews_into_a_folder_of_the_machine() -> None:
    for node in ("one", "two"):
        found = resources(node)
        assert kubelet(found)["rotateCertificates"] is True
        folder = flags(found, "kubelet")["cert-dir"]
        kept = [m for m in containers(found)["kubelet"].mounts if folder.startswith(f"{m.source}/") and m.mode != "ro"]
        assert [mount.source for mount in kept] == ["/var/lib/kubelet"]
        assert kept[0].source == kept[0].target


def test_a_kubelet_asks_with_what_it_renews_and_starts_with_what_was_issued() -> None:
    """Else it would ask with the issued pair for ever, and in vain once that is over."""
    found = resources("two")
    held = f"{flags(found, 'kubelet')['cert-dir']}/kubelet-client-current.pem"
    [user] = json.loads(content(found, "/etc/kubernetes/kubelet/kubeconfig"))["users"]
    assert user["user"] == {"client-certificate": held, "client-key": held}
    argv = containers(found)["kubelet"].argv
    issued = "/etc/kubernetes/kubelet/client.crt:/etc/kubernetes/kubelet/client.key"
    assert argv[argv.index("--pair") + 1] == f"{issued}:{held}"
    assert argv.index("--pair") < argv.index("--")


def test_another_clusters_certificates_on_a_machine_are_not_taken_for_own() -> None:
    other = replace(CLUSTER, id="fedcba9876543210")
    folders = {flags(resources("two", cluster=each), "kubelet")["cert-dir"] for each in (CLUSTER, other)}
    assert len(folders) == 2
    assert not any(one != two and one.startswith(f"{two}/") for one in folders for two in folders)


def test_what_a_kubelet_got_itself_goes_with_the_node() -> None:
    found = resources("two")
    [leaves] = only(rkx.HostCleanup, found)
    assert flags(found, "kubelet")["cert-dir"] in leaves.paths


def test_the_controller_manager_signs_for_kubelets_and_for_nobody_else() -> None:
    assert signing(resources("one")) == {
        "cluster-signing-kubelet-client-cert-file",
        "cluster-signing-kubelet-client-key-file",
        "cluster-signing-duration",
    }


def test_the_signing_key_lies_with_the_controller_managers_alone_and_closed() -> None:
    assert holders("key") == {(node, "kube-controller-manager") for node in ("one", "four")}
    path = flags(resources("one"), "kube-controller-manager")["cluster-signing-kubelet-client-key-file"]
    [file] = [each for each in only(rkx.File, resources("one")) if str(each.path) == path]
    assert (file.mode, file.uid, file.gid) == (0o600, 0, 0)


def test_api_servers_alone_trust_what_it_signs() -> None:
    assert holders("ca-bundle") == {(node, "kube-apiserver") for node in ("one", "four")}
    path = flags(resources("one"), "kube-apiserver")["client-ca-file"]
    [file] = [each for each in only(rkx.File, resources("one")) if str(each.path) == path]
    assert file.content == rkx.CredentialRef(
        identity=rkx.identity.KUBERNETES_CA, what="ca-bundle", beside=(rkx.identity.NODE_CLIENT_CA,)
    )


def test_exactly_the_nodes_of_the_cluster_may_renew_themselves() -> None:
    binding = bindings(resources("one"))["rkx:nodes-renew-themselves"]
    assert binding["roleRef"]["name"] == "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient"
    assert [(each["kind"], each["name"]) for each in binding["subjects"]] == [
        ("User", "system:node:one"),
        ("User", "system:node:three"),
        ("User", "system:node:two"),
    ]


def test_a_node_that_left_may_not_renew_itself() -> None:
    fewer = replace(CLUSTER, nodes=CLUSTER.nodes[:2])
    subjects = bindings(resources("one", cluster=fewer))["rkx:nodes-renew-themselves"]["subjects"]
    assert [each["name"] for each in subjects] == ["system:node:one", "system:node:two"]


def test_a_new_spare_restarts_no_kubelet_and_any_other_file_does() -> None:
    reads = {read.path.name: read.on_change for read in containers(resources("two"))["kubelet"].reads}
    assert {name for name, then in reads.items() if then == "nothing"} == {"client.crt", "client.key"}
    assert reads["serving.crt"] == reads["config.yaml"] == "restart"


def test_where_nobody_signs_in_the_cluster_kubelets_keep_what_was_issued() -> None:
    found = resources("one", auth=UNSIGNED)
    assert kubelet(found)["rotateCertificates"] is False
    assert signing(found) == set()
    assert "rkx:nodes-renew-themselves" not in bindings(found)
    assert flags(found, "kube-apiserver")["client-ca-file"].endswith(f"/{rkx.identity.KUBERNETES_CA}.crt")
    assert {read.on_change for read in containers(found)["kubelet"].reads} == {"restart"}
    assert "--pair" not in containers(found)["kubelet"].argv
    [user] = json.loads(content(found, "/etc/kubernetes/kubelet/kubeconfig"))["users"]
    assert user["user"]["client-certificate"] == "/etc/kubernetes/kubelet/client.crt"


def test_what_programs_hold_lasts_but_what_kubelets_renew_and_what_operators_use() -> None:
    leaves = [each for each in KubernetesService(PLAIN).rkx_identities(WIDE) if each.kind == "leaf"]
    by_life = {life: {each.name for each in leaves if each.life == life} for life in ("limited", "self-renewed")}
    assert by_life["limited"] == {rkx.identity.ADMIN, rkx.identity.INSTALLER, rkx.identity.SUPER_ADMIN}
    assert by_life["self-renewed"] == {f"kubelet@{node.name}" for node in WIDE.nodes}
    assert {each.life for each in leaves} == {"limited", "lasting", "self-renewed"}


@pytest.mark.parametrize(
    "config",
    [
        KubernetesConfig(kubelet=Kubelet(extra_args={"cert-dir": "/other"})),
        KubernetesConfig(kubelet=Kubelet(extra_args={"rotate-certificates": "false"})),
        KubernetesConfig(kube_controller=Program(extra_args={"cluster-signing-cert-file": "/other"})),
        KubernetesConfig(kube_controller=Program(extra_args={"cluster-signing-kubelet-client-key-file": "/other"})),
    ],
)
def test_nobody_turns_it_off_by_an_argument(config: KubernetesConfig) -> None:
    [found] = KubernetesService(config).rkx_validate(CLUSTER)
    assert "extra_args" in found.where
    assert not found.warning
