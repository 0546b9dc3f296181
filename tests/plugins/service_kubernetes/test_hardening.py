"""What is closed from the start, and what `profile: cis` closes further."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any, Literal

import pytest
import yaml
from msgspec.structs import replace
from tests.plugins.service_kubernetes.conftest import (
    CLUSTER,
    NETWORK,
    PLAIN,
    containers,
    content,
    facts,
    only,
    resources,
)

import rkx
from rkx_service_kubernetes import KubernetesService
from rkx_service_kubernetes.config import AuditLog, Encryption, EventRateLimit, KubeApi, KubernetesConfig, Program
from rkx_service_kubernetes.hardening import BUILT_IN, KERNEL

ROOT = PurePosixPath("/etc/kubernetes")
Level = Literal["privileged", "baseline", "restricted"]
CIS = replace(CLUSTER, profile="cis")
ENFORCING = replace(NETWORK, enforces_policies=True)


def objects(found: Sequence[rkx.Resource]) -> dict[tuple[str, str, str], dict[str, Any]]:
    listed = [each for manifest in only(rkx.Manifest, found) for each in yaml.safe_load(manifest.text)["items"]]
    return {(o["kind"], o["metadata"].get("namespace", ""), o["metadata"]["name"]): o for o in listed}


def without_token(found: Sequence[rkx.Resource]) -> set[str]:
    """Name the namespaces whose default account gives pods no token."""
    accounts = {k: o for k, o in objects(found).items() if (k[0], k[2]) == ("ServiceAccount", "default")}
    return {namespace for (_, namespace, _), o in accounts.items() if o["automountServiceAccountToken"] is False}


def test_all_below_the_folder_of_keys_is_roots() -> None:
    found = [each for each in resources("one") if isinstance(each, rkx.File | rkx.Folder)]
    below = [each for each in found if ROOT in (each.path, *each.path.parents)]
    assert {(each.uid, each.gid) for each in below} == {(0, 0)}
    etcd = {each.path.parent for each in found if isinstance(each, rkx.File) and each.uid}
    assert etcd == {PurePosixPath("/etc/rkx/etcd")}


def test_profiling_of_the_scheduler_is_off_by_its_file_and_by_its_flag() -> None:
    path = "/etc/kubernetes/kube-scheduler/config.yaml"
    assert "--profiling=false" in containers(resources("one"))["kube-scheduler"].argv
    assert json.loads(content(resources("one"), path))["enableProfiling"] is False
    wanted = KubernetesConfig(scheduler=Program(extra_args={"profiling": "true"}))
    assert "--profiling=true" in containers(resources("one", wanted))["kube-scheduler"].argv
    assert json.loads(content(resources("one", wanted), path))["enableProfiling"] is True


def test_pods_of_the_system_that_name_no_account_get_no_token() -> None:
    assert without_token(resources("one")) == {"kube-system"}


def test_pod_security_exempts_no_namespace_that_nobody_made() -> None:
    config = KubernetesConfig(kube_api=KubeApi(pod_security_configuration="restricted"))
    assert pod_security(resources("one", config))["exemptions"]["namespaces"] == ["kube-system"]


def pod_security(found: Sequence[rkx.Resource]) -> dict[str, Any]:
    written = json.loads(content(found, "/etc/kubernetes/kube-apiserver/admission.yaml"))
    [pods] = [each["configuration"] for each in written["plugins"] if each["name"] == "PodSecurity"]
    return dict(pods)


@pytest.mark.parametrize(
    ("cluster", "said", "level"),
    [(CLUSTER, None, "privileged"), (CIS, None, "restricted"), (CIS, "baseline", "baseline")],
    ids=["default", "cis", "explicit"],
)
def test_pod_security_follows_the_profile_unless_the_file_says_more(
    cluster: rkx.Cluster, said: Level | None, level: str
) -> None:
    found = resources("one", KubernetesConfig(kube_api=KubeApi(pod_security_configuration=said)), cluster)
    assert {pod_security(found)["defaults"][mode] for mode in ("enforce", "audit", "warn")} == {level}


@pytest.mark.parametrize(
    ("cluster", "said", "pulled"),
    [(CLUSTER, None, False), (CLUSTER, True, True), (CIS, None, True), (CIS, False, False)],
    ids=["default", "asked for", "cis", "explicit"],
)
def test_images_are_always_pulled_with_the_profile(cluster: rkx.Cluster, said: bool | None, pulled: bool) -> None:
    found = containers(resources("one", KubernetesConfig(kube_api=KubeApi(always_pull_images=said)), cluster))
    assert ("AlwaysPullImages" in " ".join(found["kube-apiserver"].argv)) is pulled


def test_no_default_account_of_a_built_in_namespace_has_a_token_with_the_profile() -> None:
    assert without_token(resources("one", cluster=CIS)) == set(BUILT_IN)


def test_the_kubelet_leaves_the_kernels_settings_alone_with_the_profile() -> None:
    for cluster, protected in ((CLUSTER, False), (CIS, True)):
        written = json.loads(content(resources("two", cluster=cluster), "/etc/kubernetes/kubelet/config.yaml"))
        assert written["protectKernelDefaults"] is protected


def kernel(cluster: rkx.Cluster, host: rkx.HostFacts | None) -> list[rkx.Finding]:
    found = KubernetesService(PLAIN).rkx_checks(cluster, facts(cluster, host))
    return [each for each in found if isinstance(each, rkx.Finding) and each.check == "kernel settings"]


@pytest.mark.parametrize("name", KERNEL)
def test_a_setting_of_the_kernel_that_a_strict_kubelet_refuses_is_named_with_both_values(name: str) -> None:
    host = rkx.HostFacts(sysctls={**KERNEL, name: "7"})
    first, *others = kernel(CIS, host)
    assert (first.node, first.message) == ("one", f"{name} is 7; profile cis wants {KERNEL[name]}")
    assert f"{name}={KERNEL[name]}" in first.hint
    assert (first.warning, [each.node for each in others]) == (False, ["two", "three"])
    assert kernel(CLUSTER, host) == []


@pytest.mark.parametrize("host", [None, rkx.HostFacts(), rkx.HostFacts(sysctls=KERNEL)], ids=["new", "old", "right"])
def test_a_machine_with_right_settings_or_none_known_yet_is_taken(host: rkx.HostFacts | None) -> None:
    assert kernel(CIS, host) == []


def test_built_in_namespaces_are_closed_where_the_network_enforces_it() -> None:
    for cluster, network in ((CLUSTER, ENFORCING), (CIS, NETWORK)):
        assert not any(
            kind == "NetworkPolicy" for kind, *_ in objects(resources("one", cluster=cluster, network=network))
        )
    found = objects(resources("one", cluster=CIS, network=ENFORCING))
    policies = {key[1:]: each["spec"] for key, each in found.items() if key[0] == "NetworkPolicy"}
    assert {namespace for namespace, _ in policies} == set(BUILT_IN)
    for namespace in BUILT_IN:
        own = policies[namespace, "rkx-own-namespace"]
        assert own == {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"from": [{"podSelector": {}}]}]}
    assert [port["port"] for port in policies["kube-system", "rkx-dns"]["ingress"][0]["ports"]] == [53, 53]


AGAINST = {
    "always_pull_images": KubeApi(always_pull_images=False),
    "audit_log.enabled": KubeApi(audit_log=AuditLog(enabled=False)),
    "event_rate_limit.enabled": KubeApi(event_rate_limit=EventRateLimit(enabled=False)),
    "pod_security_configuration": KubeApi(pod_security_configuration="privileged"),
    "secrets_encryption_config.enabled": KubeApi(secrets_encryption_config=Encryption(enabled=False)),
}


@pytest.mark.parametrize("key", AGAINST)
def test_what_the_file_says_against_its_profile_is_told(key: str) -> None:
    plugin = KubernetesService(KubernetesConfig(kube_api=AGAINST[key]))
    of_profile = [each for each in plugin.rkx_validate(CIS) if not each.risk]
    assert [(each.where, each.warning) for each in of_profile] == [(f"services.kube-api.{key}", True)]
    assert [each for each in plugin.rkx_validate(CLUSTER) if not each.risk] == []


def test_a_plain_cluster_with_the_profile_has_no_problem() -> None:
    assert KubernetesService(PLAIN).rkx_validate(CIS) == []
