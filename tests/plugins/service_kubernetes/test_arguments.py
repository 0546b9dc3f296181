"""How extra_args, extra_binds and extra_env of cluster.yml reach the programs, and which arguments are refused."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from msgspec.structs import replace
from tests.plugins.service_kubernetes.conftest import CLUSTER, containers, content, resources

import rkx
from rkx_service_kubernetes import KubernetesService
from rkx_service_kubernetes.config import Etcd, KubeApi, Kubelet, KubernetesConfig, Program

PROGRAMS = {
    "etcd": ("etcd", Etcd),
    "kube-api": ("kube_api", KubeApi),
    "kube-controller": ("kube_controller", Program),
    "scheduler": ("scheduler", Program),
    "kubelet": ("kubelet", Kubelet),
    "kubeproxy": ("kubeproxy", Program),
}
CONTAINERS = {
    "etcd": {"etcd"},
    "kube-api": {"kube-apiserver"},
    "kube-controller": {"kube-controller-manager"},
    "scheduler": {"kube-scheduler"},
    "kubelet": {"kubelet", "cri-dockerd"},
    "kubeproxy": {"kube-proxy"},
}
"""Those that get a service's binds and variables: the runtime makes a pod's mounts for the kubelet."""


def config(service: str, **extra: Mapping[str, object] | tuple[str, ...]) -> KubernetesConfig:
    field, kind = PROGRAMS[service]
    return KubernetesConfig(**{field: kind(**extra)})


def problems(wanted: KubernetesConfig, version: str = "v1.34.4") -> list[rkx.Problem]:
    images = {"kubernetes": "example.org/kubernetes:x", "etcd": "example.org/etcd:x"}
    cluster = replace(CLUSTER, kubernetes_version=version, images=images)
    return list(KubernetesService(wanted).rkx_validate(cluster))


@pytest.mark.parametrize(
    ("service", "flag"),
    [
        ("etcd", "data-dir"),
        ("etcd", "initial-cluster"),
        ("kube-api", "etcd-servers"),
        ("kube-api", "service-account-signing-key-file"),
        ("kube-controller", "root-ca-file"),
        ("scheduler", "config"),
        ("scheduler", "kubeconfig"),
        ("kubelet", "kubeconfig"),
        ("kubelet", "tls-private-key-file"),
        ("kubeproxy", "config"),
    ],
)
@pytest.mark.parametrize("option", ["extra_args", "extra_args_array"])
def test_what_rkx_owns_is_refused_where_it_stands(service: str, flag: str, option: str) -> None:
    given = {flag: "x"} if option == "extra_args" else {flag: ("x",)}
    found = problems(config(service, **{option: given}))
    assert found[0].where == f"services.{service}.{option}.{flag}"
    assert not found[0].warning
    assert f"--{flag}" in found[0].message


@pytest.mark.parametrize(
    ("service", "flag", "last", "hint"),
    [
        ("kube-api", "cloud-provider", 32, "external cloud controller manager"),
        ("kube-controller", "volume-host-cidr-denylist", 30, "leave it out"),
        ("kubelet", "pod-infra-container-image", 34, "infra_container_image"),
        ("kubelet", "boot-id-file", 36, "leave it out"),
        ("kubeproxy", "proxy-port-range", 30, "leave it out"),
    ],
)
def test_an_ended_flag_is_an_error_from_the_minor_that_ended_it(service: str, flag: str, last: int, hint: str) -> None:
    wanted = config(service, extra_args={flag: "1"})
    assert not [each for each in problems(wanted, f"v1.{last}.1") if f"ended with 1.{last}" in each.message]
    [found] = problems(wanted, f"v1.{last + 1}.1")
    assert f"ended with 1.{last}" in found.message
    assert hint in found.hint
    assert not found.warning


def test_a_flag_that_is_still_to_come_names_its_first_minor() -> None:
    [found] = problems(config("kube-api", extra_args={"tls-curve-preferences": "X25519"}))
    assert found.message == "kube-apiserver 1.34 has no --tls-curve-preferences: it begins with 1.36"


def test_replacing_a_list_of_rkx_is_a_warning_and_adding_to_it_is_none() -> None:
    [found] = problems(config("kube-api", extra_args={"enable-admission-plugins": "NodeRestriction"}))
    assert found.warning
    assert problems(config("kube-api", extra_args_array={"enable-admission-plugins": ("NodeRestriction",)})) == []


def test_an_argument_of_the_user_replaces_adds_or_removes() -> None:
    wanted = config(
        "kube-api",
        extra_args={"profiling": "true", "v": "4", "kubelet-preferred-address-types": ""},
        extra_args_array={"feature-gates": ("A=true", "B=false")},
    )
    assert [problem for problem in problems(wanted) if not problem.warning] == []
    argv = containers(resources("one", wanted))["kube-apiserver"].argv
    assert [word for word in argv if word.startswith("--profiling")] == ["--profiling=true"]
    assert "--v=4" in argv
    assert not any(word.startswith("--kubelet-preferred-address-types") for word in argv)
    assert argv[-2:] == ("--feature-gates=A=true", "--feature-gates=B=false")


@pytest.mark.parametrize("service", PROGRAMS)
def test_an_argument_touches_its_own_program_alone(service: str) -> None:
    name = {"kube-api": "kube-apiserver", "kube-controller": "kube-controller-manager", "kubeproxy": "kube-proxy"}
    name |= {"scheduler": "kube-scheduler"}
    before, after = resources("one"), resources("one", config(service, extra_args={"v": "5"}))
    changed = {old.key.shown_name for old, new in zip(before, after, strict=True) if old != new}
    program = name.get(service, service)
    assert changed == {program, f"/etc/kubernetes/records/{program}.json"}


@pytest.mark.parametrize("service", PROGRAMS)
def test_the_users_binds_and_variables_reach_the_containers_of_their_service_alone(service: str) -> None:
    extra = config(service, extra_binds=("/srv:/srv:rw,rshared", "/data"), extra_env=("A=b=c",))
    assert problems(extra) == []
    binds = (
        rkx.Mount(source="/srv", target="/srv", mode="rw,rshared"),
        rkx.Mount(source="/data", target="/data"),
    )
    before, after = containers(resources("one")), containers(resources("one", extra))
    for name, old in before.items():
        given = name in CONTAINERS[service]
        mounts, env = (binds, {"A": "b=c"}) if given else ((), {})
        assert (name, after[name].mounts, after[name].env) == (name, (*old.mounts, *mounts), {**old.env, **env})


@pytest.mark.parametrize(
    ("flag", "text", "path", "value"),
    [
        ("conntrack-max-per-core", "0", "conntrack.maxPerCore", 0),
        ("masquerade-all", "true", "iptables.masqueradeAll", True),
        ("proxy-mode", "nftables", "mode", "nftables"),
        ("nodeport-addresses", "10.0.0.0/8, primary", "nodePortAddresses", ["10.0.0.0/8", "primary"]),
        ("kube-api-qps", "12.5", "clientConnection.qps", 12.5),
        ("feature-gates", "A=true,B=false", "featureGates", {"A": True, "B": False}),
    ],
)
def test_kube_proxys_arguments_go_into_its_file(flag: str, text: str, path: str, value: object) -> None:
    wanted = config("kubeproxy", extra_args={flag: text})
    assert [problem for problem in problems(wanted) if not problem.warning] == []
    found = resources("two", wanted)
    body = json.loads(content(found, "/etc/kubernetes/kube-proxy/config.yaml"))
    for name in path.split("."):
        body = body[name]
    assert body == value
    assert containers(found)["kube-proxy"].argv == (
        "kube-proxy",
        "--config=/etc/kubernetes/kube-proxy/config.yaml",
    )


def test_a_field_is_taken_out_by_an_empty_value() -> None:
    found = resources("two", config("kubeproxy", extra_args={"metrics-bind-address": ""}))
    assert "metricsBindAddress" not in content(found, "/etc/kubernetes/kube-proxy/config.yaml")


def test_kube_proxys_client_keeps_its_kubeconfig_beside_a_users_field() -> None:
    found = resources("two", config("kubeproxy", extra_args={"kube-api-burst": "50"}))
    client = json.loads(content(found, "/etc/kubernetes/kube-proxy/config.yaml"))["clientConnection"]
    assert client == {"kubeconfig": "/etc/kubernetes/kube-proxy/kubeconfig", "burst": 50}


@pytest.mark.parametrize(
    ("service", "extra", "word"),
    [
        ("kubeproxy", {"extra_args": {"made-up": "1"}}, "no field"),
        ("kubeproxy", {"extra_args_array": {"nodeport-addresses": ("a", "b")}}, "no field"),
        ("kubeproxy", {"extra_args": {"conntrack-max-per-core": "many"}}, "conntrack.maxPerCore"),
        ("kubeproxy", {"extra_args": {"masquerade-all": "maybe"}}, "true or false"),
        ("scheduler", {"extra_args": {"profiling": "maybe"}}, "enableProfiling"),
    ],
)
def test_what_has_no_field_or_not_its_type_is_refused(
    service: str, extra: Mapping[str, Mapping[str, object]], word: str
) -> None:
    [found] = problems(config(service, **extra))
    assert word in found.message
    assert not found.warning


def test_the_schedulers_arguments_split_between_file_and_flags() -> None:
    wanted = config("scheduler", extra_args={"contention-profiling": "true", "v": "4"})
    assert problems(wanted) == []
    found = resources("one", wanted)
    assert json.loads(content(found, "/etc/kubernetes/kube-scheduler/config.yaml"))["enableContentionProfiling"] is True
    argv = containers(found)["kube-scheduler"].argv
    assert "--v=4" in argv
    assert not any(word.startswith("--contention-profiling") for word in argv)
