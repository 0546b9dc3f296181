"""What a node gets for its roles."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import combinations
from pathlib import PurePosixPath
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from tests.conftest import Golden
from tests.plugins.service_kubernetes.conftest import (
    CLUSTER,
    NETWORK,
    PLAIN,
    containers,
    content,
    machine,
    only,
    resources,
)

import rkx
from rkx_service_kubernetes import KubernetesService
from rkx_service_kubernetes.config import AuditLog, Encryption, Etcd, KubeApi, KubernetesConfig

EVERYWHERE = {"cri-dockerd", "kubelet", "kube-proxy"}
CONTROL_PLANE = {"kube-apiserver", "kube-controller-manager", "kube-scheduler"}
ROLES = ("controlplane", "etcd", "worker")
SUBSETS = [subset for size in (1, 2, 3) for subset in combinations(ROLES, size)]
HOST_ROOTS = {"/sys", "/dev", "/run", "/var/run", "/lib/modules", "/var/lib/docker", "/var/lib/rkx/bin"}
"""What is bound without being ours; core owns the last."""


def plain(value: object) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Bring a resource into JSON, one line of text per line."""
    if isinstance(value, rkx.Key):
        return [value.node, value.shown_kind, value.shown_name]
    if isinstance(value, msgspec.Struct):
        body = {name: plain(getattr(value, name)) for name in value.__struct_fields__}
        return {"kind": type(value).__name__} | {
            key: each for key, each in body.items() if each not in ("", [], {}, None)
        }
    if isinstance(value, bytes):
        return value.decode().splitlines()
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, (tuple, list)):
        return [plain(each) for each in value]
    return value if isinstance(value, (bool, int, float, str)) else str(value)


@pytest.mark.parametrize("node", ["one", "two", "three"])
def test_resources_of_three_machines(node: str, golden: Golden) -> None:
    text = json.dumps(plain(list(resources(node))), indent=1, sort_keys=True)
    golden(f"{node}.json", text + "\n")


@pytest.mark.parametrize("roles", SUBSETS, ids="-".join)
def test_every_subset_of_roles_gives_these_roles_alone(roles: tuple[str, ...]) -> None:
    cluster = replace(CLUSTER, nodes=(*CLUSTER.nodes, machine("four", 4, *roles)))
    found = containers(resources("four", cluster=cluster))
    wanted = set(EVERYWHERE)
    wanted |= CONTROL_PLANE if "controlplane" in roles else {"api-proxy"}
    wanted |= {"etcd"} if "etcd" in roles else set()
    assert found.keys() == wanted


@pytest.mark.parametrize("roles", SUBSETS, ids="-".join)
def test_every_resource_belongs_to_the_node_and_has_a_key_of_its_own(roles: tuple[str, ...]) -> None:
    cluster = replace(CLUSTER, nodes=(*CLUSTER.nodes, machine("four", 4, *roles)))
    found = resources("four", cluster=cluster)
    assert len({each.key for each in found}) == len(found)
    assert {each.node for each in found if not isinstance(each, rkx.Manifest)} == {"four"}


def test_same_input_gives_equal_output() -> None:
    assert resources("one") == resources("one")


def test_no_key_stands_in_any_resource() -> None:
    shown = repr([resources(node.name) for node in CLUSTER.nodes])
    assert "PRIVATE KEY" not in shown
    keys = [file for file in only(rkx.File, resources("one")) if file.path.suffix == ".key"]
    assert keys
    assert all(isinstance(file.content, rkx.CredentialRef) and file.mode == 0o600 for file in keys)


@pytest.mark.parametrize("node", ["one", "two"])
def test_every_bind_is_a_folder_of_ours_or_of_the_machine(node: str) -> None:
    found = resources(node)
    own = {str(folder.path) for folder in only(rkx.Folder, found)}
    bound = {mount.source for container in containers(found).values() for mount in container.mounts}
    assert bound <= own | HOST_ROOTS


@pytest.mark.parametrize("node", ["one", "two"])
def test_every_file_lies_in_a_closed_folder_that_one_container_mounts(node: str) -> None:
    found = resources(node)
    modes = {folder.path: folder.mode for folder in only(rkx.Folder, found)}
    files = only(rkx.File, found)
    assert {modes[file.path.parent] for file in files} == {0o700}
    for file in [each for each in files if each.path.parent.name != "records"]:  # those are for auditors
        readers = [
            name
            for name, container in containers(found).items()
            if any(PurePosixPath(mount.source) in file.path.parents for mount in container.mounts)
        ]
        assert readers == [file.path.parent.name]


@pytest.mark.parametrize("name", sorted(CONTROL_PLANE | {"etcd"}))
def test_the_control_plane_runs_without_capabilities_and_writes_nowhere(name: str) -> None:
    container = containers(resources("one"))[name]
    assert (container.privileged, container.capabilities, container.read_only) == (False, (), True)
    assert container.user == ("52034:52034" if name == "etcd" else "0:0")


def test_only_what_must_be_is_privileged() -> None:
    everything = [each for node in CLUSTER.nodes for each in containers(resources(node.name)).values()]
    assert {each.name for each in everything if each.privileged} == EVERYWHERE
    assert {each.name for each in everything if each.host_pid} == {"cri-dockerd", "kubelet"}


def test_probes_need_no_socket_that_root_alone_may_open() -> None:
    everything = [each for node in CLUSTER.nodes for each in containers(resources(node.name)).values()]
    assert {each.probe.address.partition(":")[0] for each in everything if each.probe} == {"tcp"}


def test_what_matters_at_birth_alone_is_no_reason_to_replace_etcd() -> None:
    grown = replace(CLUSTER, nodes=(*CLUSTER.nodes, machine("four", 4, "etcd")))
    before, after = containers(resources("one"))["etcd"], containers(resources("one", cluster=grown))["etcd"]
    assert before.bootstrap_args != after.bootstrap_args
    assert replace(before, bootstrap_args=()) == replace(after, bootstrap_args=())


def test_etcd_takes_the_owner_of_cluster_yml_when_both_numbers_are_there() -> None:
    found = resources("one", KubernetesConfig(etcd=Etcd(uid=700, gid=701)))
    assert containers(found)["etcd"].user == "700:701"
    [data] = [folder for folder in only(rkx.Folder, found) if str(folder.path) == "/var/lib/etcd"]
    assert (data.uid, data.gid, data.mode) == (700, 701, 0o700)
    assert containers(resources("one", KubernetesConfig(etcd=Etcd(uid=700))))["etcd"].user == "52034:52034"


def test_api_servers_ask_their_own_etcd_first() -> None:
    nodes = tuple(machine(name, number, "controlplane", "etcd") for number, name in enumerate("abc", start=1))
    [servers] = [
        word for word in containers(resources("b", cluster=replace(CLUSTER, nodes=nodes)))["kube-apiserver"].argv
        if word.startswith("--etcd-servers=")
    ]  # fmt: skip
    assert servers == "--etcd-servers=https://192.0.2.2:2379,https://192.0.2.1:2379,https://192.0.2.3:2379"


def test_the_api_proxy_knows_every_control_plane_node_by_its_internal_address() -> None:
    nodes = (*CLUSTER.nodes, replace(machine("four", 4, "controlplane"), internal_address="10.0.0.4"))
    text = content(resources("two", cluster=replace(CLUSTER, nodes=nodes)), "/etc/kubernetes/api-proxy/haproxy.cfg")
    assert text.endswith("  server one 192.0.2.1:6443\n  server four 10.0.0.4:6443\n")


def test_host_names_as_addresses_are_not_passed_as_ips() -> None:
    node = replace(machine("server1", 1, *ROLES), address="server1", internal_address="server1")
    found = containers(resources("server1", cluster=replace(CLUSTER, nodes=(node,))))
    words = " ".join((*found["kube-apiserver"].argv, *found["kubelet"].argv, *found["etcd"].argv))
    assert "--advertise-address" not in words
    assert "--node-ip" not in words
    assert "--listen-client-urls=https://0.0.0.0:2379 " in words
    assert "--kubelet-preferred-address-types=Hostname,InternalIP,ExternalIP" in words


@pytest.mark.parametrize(
    ("on_interface", "passed"), [(("192.0.2.1/24",), True), (("10.0.0.1/24",), False)], ids=["own", "translated"]
)
def test_node_ip_is_an_address_of_the_machine_and_etcd_listens_on_it_alone(
    on_interface: tuple[str, ...], passed: bool
) -> None:
    card = rkx.Interface(name="eth0", mtu_bytes=1500, addresses=on_interface)
    found = containers(resources("one", host=rkx.HostFacts(interfaces=(card,))))
    assert ("--node-ip=192.0.2.1" in found["kubelet"].argv) is passed
    for what, port in {"client": 2379, "peer": 2380}.items():
        own = f"https://192.0.2.1:{port},https://127.0.0.1:{port}" if passed else f"https://0.0.0.0:{port}"
        assert f"--listen-{what}-urls={own}" in found["etcd"].argv


def test_pods_get_no_name_server_of_the_machines_own_loopback() -> None:
    path = "/etc/kubernetes/kubelet/resolv.conf"
    assert content(resources("two"), path) == "nameserver 198.51.100.53\nsearch example.org\n"
    alone = content(resources("two", host=rkx.HostFacts(resolv_conf="nameserver 127.0.0.11\n")), path)
    assert alone.startswith("# ")
    assert "nameserver" not in alone
    assert not any(str(file.path) == path for file in only(rkx.File, resources("two", host=None)))


def test_a_changed_resolver_does_not_restart_the_kubelet() -> None:
    reads = {str(read.path) for read in containers(resources("two"))["kubelet"].reads}
    files = {str(file.path) for file in only(rkx.File, resources("two")) if "/kubelet/" in str(file.path)}
    assert files - reads == {"/etc/kubernetes/kubelet/resolv.conf"}


def test_nodes_that_are_no_workers_keep_pods_away_in_both_spellings() -> None:
    cluster = replace(CLUSTER, nodes=(machine("one", 1, "controlplane", "etcd"), machine("two", 2, *ROLES)))
    [mine] = only(rkx.NodeMetadata, resources("one", cluster=cluster))
    [mixed] = only(rkx.NodeMetadata, resources("two", cluster=cluster))
    prefix = "node-role.kubernetes.io"
    assert [(taint.key, taint.value, taint.effect) for taint in mine.taints] == [
        (f"{prefix}/controlplane", "true", "NoSchedule"),
        (f"{prefix}/control-plane", "", "NoSchedule"),
        (f"{prefix}/etcd", "true", "NoExecute"),
    ]
    assert mixed.taints == ()
    assert set(mixed.labels) == {f"{prefix}/{name}" for name in ("controlplane", "control-plane", "etcd", "worker")}
    written = json.loads(content(resources("one", cluster=cluster), "/etc/kubernetes/kubelet/config.yaml"))
    assert [taint["key"] for taint in written["registerWithTaints"]] == [taint.key for taint in mine.taints]


def test_a_registry_login_is_a_secret_that_both_programs_find() -> None:
    registry = rkx.PrivateRegistry(url="registry.example.org", user="robot", password=rkx.Secret("hunter2"))
    found = resources("two", cluster=replace(CLUSTER, registries=(registry,)))
    assert "hunter2" not in repr(found)
    [file] = [each for each in only(rkx.File, found) if each.path.name == "config.json"]
    assert isinstance(file.content, rkx.Secret)
    assert json.loads(file.content.reveal())["auths"]["registry.example.org"]["auth"] == "cm9ib3Q6aHVudGVyMg=="
    for name in ("kubelet", "cri-dockerd"):
        assert "/.docker" in {mount.target for mount in containers(found)[name].mounts}
    assert "/.docker" not in repr(resources("two"))


def test_a_network_without_kube_proxy_gets_none() -> None:
    found = containers(resources("two", network=replace(NETWORK, kube_proxy_mode=None)))
    assert "kube-proxy" not in found


def test_the_pause_image_is_the_runtimes_argument_and_the_kubelets_only_while_it_takes_it() -> None:
    images = {"kubernetes": "example.org/kubernetes:x", "etcd": "example.org/etcd:x"}
    for minor, passed in ((34, True), (35, False)):
        cluster = replace(CLUSTER, kubernetes_version=f"v1.{minor}.1", image_layout="public", images=images)
        found = containers(resources("two", cluster=cluster))
        assert any(word.startswith("--pod-infra-container-image=") for word in found["cri-dockerd"].argv)
        assert any(word.startswith("--pod-infra-container-image=") for word in found["kubelet"].argv) is passed


def test_each_container_takes_the_image_that_the_file_names_for_its_part() -> None:
    parts = ("kubernetes", "etcd", "kubernetes_services_sidecar", "nginx_proxy")
    cluster = replace(CLUSTER, images={part: f"example.org/{part}:x" for part in parts})
    found = containers([*resources("one", cluster=cluster), *resources("two", cluster=cluster)])
    others = {"etcd": "etcd", "cri-dockerd": "kubernetes_services_sidecar", "api-proxy": "nginx_proxy"}
    assert found.keys() == EVERYWHERE | CONTROL_PLANE | others.keys()
    for name, container in found.items():
        assert (name, container.image) == (name, f"example.org/{others.get(name, 'kubernetes')}:x")


def test_secrets_stay_readable_when_encryption_is_turned_off() -> None:
    off = KubernetesConfig(kube_api=KubeApi(secrets_encryption_config=Encryption(enabled=False)))
    forms = [
        next(each.form for each in KubernetesService(config).rkx_identities(CLUSTER) if each.kind == "secret")
        for config in (PLAIN, off)
    ]
    assert [form.index("secretbox") < form.index("identity") for form in forms] == [True, False]
    assert all("${secret}" in form for form in forms)


def test_a_users_own_encryption_is_kept_secret() -> None:
    custom = {"kind": "EncryptionConfiguration", "key": "c2VjcmV0"}
    config = KubernetesConfig(kube_api=KubeApi(secrets_encryption_config=Encryption(custom_config=custom)))
    found = resources("one", config)
    assert "c2VjcmV0" not in repr(found)
    [file] = [each for each in only(rkx.File, found) if each.path.name == "encryption.yaml"]
    assert isinstance(file.content, rkx.Secret)
    assert json.loads(file.content.reveal()) == custom


def test_without_an_audit_log_nothing_of_it_is_left() -> None:
    found = resources("one", KubernetesConfig(kube_api=KubeApi(audit_log=AuditLog(enabled=False))))
    assert not any(word in repr(found) for word in ("audit-log", "audit-policy", "kube-audit"))
    assert "audit-log" in repr(resources("one"))


def test_a_users_admission_plugins_are_kept_beside_rkxs() -> None:
    written = {
        "plugins": [{"name": "ImagePolicyWebhook", "configuration": {"a": 1}}, {"name": "PodSecurity", "path": "x"}]
    }
    found = resources("one", KubernetesConfig(kube_api=KubeApi(admission_configuration=written)))
    body = json.loads(content(found, "/etc/kubernetes/kube-apiserver/admission.yaml"))
    assert [entry["name"] for entry in body["plugins"]] == ["EventRateLimit", "ImagePolicyWebhook", "PodSecurity"]
    assert body["plugins"][2] == {"name": "PodSecurity", "path": "x"}


def test_what_authentication_adds_reaches_the_api_server() -> None:
    folder = PurePosixPath("/etc/kubernetes/authentication-webhook")
    file = rkx.File(node="one", path=folder / "config", content=b"")
    auth = rkx.AuthSettings(arguments={"authentication-token-webhook-config-file": str(file.path)}, files=(file,))
    container = containers(resources("one", auth=auth))["kube-apiserver"]
    assert f"--authentication-token-webhook-config-file={folder}/config" in container.argv
    assert rkx.Mount(source=str(folder), target=str(folder), mode="ro") in container.mounts
    assert rkx.Read(path=folder) in container.reads


def test_every_control_plane_node_wants_the_same_objects_and_no_other_node_any() -> None:
    cluster = replace(CLUSTER, nodes=(*CLUSTER.nodes, machine("four", 4, "controlplane")))
    one, two, four = (only(rkx.Manifest, resources(name, cluster=cluster)) for name in ("one", "two", "four"))
    assert one == four
    assert [each.name for each in one] == ["kubernetes-admins", "kubernetes-rbac", "kubernetes-namespaces"]
    assert two == []


def test_etcd_listens_where_other_nodes_and_its_own_probes_call_it() -> None:
    inner = replace(CLUSTER.nodes[0], address="198.51.100.1")
    argv = containers(resources("one", cluster=replace(CLUSTER, nodes=(inner, *CLUSTER.nodes[1:]))))["etcd"].argv
    assert "--listen-client-urls=https://192.0.2.1:2379,https://127.0.0.1:2379" in argv
    assert "--listen-peer-urls=https://192.0.2.1:2380,https://127.0.0.1:2380" in argv
