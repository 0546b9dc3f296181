"""Mistakes in cluster.yml, and machines that cannot carry a node."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.plugins.service_kubernetes.conftest import CLUSTER, PLAIN, facts

import rkx
from rkx.model.cluster import ImageLayout
from rkx_service_kubernetes import KubernetesService, catalogue
from rkx_service_kubernetes.config import AuditConfiguration, AuditLog, KubeApi, Kubelet, KubernetesConfig, Program

README = Path(__file__).parents[3] / "README.md"


def problems(config: KubernetesConfig = PLAIN, **changes: Any) -> list[rkx.Problem]:  # noqa: ANN401 - fields of Cluster
    return list(KubernetesService(config).rkx_validate(replace(CLUSTER, **changes)))


def test_a_plain_cluster_has_no_problem() -> None:
    assert problems() == []


@pytest.mark.parametrize(("version", "layout"), [("v1.34.99", "rkx"), ("v1.30.14", "rkx"), ("v1.34.4", "public")])
def test_a_version_without_images_names_those_that_have(version: str, layout: str) -> None:
    [found] = problems(kubernetes_version=version, image_layout=layout)
    assert (found.where, found.warning) == ("kubernetes_version", False)
    assert version in found.message
    assert "v1.34." in found.hint
    images = {"kubernetes": "example.org/kubernetes:x", "etcd": "example.org/etcd:x"}
    assert problems(kubernetes_version=version, image_layout=layout, images=images) == []


@pytest.mark.parametrize("version", ["v1.29.15", "v1.99.0", "v2.34.4"])
def test_a_version_without_rules_is_refused_though_its_images_are_named(version: str) -> None:
    images = {"kubernetes": "example.org/kubernetes:x", "etcd": "example.org/etcd:x"}
    [found] = problems(kubernetes_version=version, image_layout="rkx", images=images)
    assert (found.where, found.warning) == ("kubernetes_version", False)
    assert "v1.33.13, v1.34.4" in found.hint


@pytest.mark.parametrize("layout", ["public", "rkx"])
def test_the_readme_names_the_versions_that_have_images(layout: ImageLayout) -> None:
    cluster = rkx.Cluster(name="sample", nodes=(), kubernetes_version="v1.34.4", image_layout=layout)
    *others, last = (version.removeprefix("v") for version in catalogue.versions(cluster))
    assert f"{', '.join(others)} and {last} with `image_layout: {layout}`" in README.read_text()


def test_an_unknown_minor_wants_its_etcd_named_too() -> None:
    [found] = problems(kubernetes_version="v1.36.1", images={"kubernetes": "example.org/kubernetes:x"})
    assert found.hint == "name one under system_images.etcd"


@pytest.mark.parametrize("version", ["v1.30.14", "v1.31.14", "v1.32.13", "v1.34.11", "v1.35.8", "v1.36.4"])
def test_public_images_are_known_for_a_version_of_each_minor(version: str) -> None:
    assert problems(kubernetes_version=version, image_layout="public") == []


def test_a_retired_pause_image_is_replaced_with_a_warning() -> None:
    config = KubernetesConfig(kubelet=Kubelet(infra_container_image="gcr.io/google_containers/pause-amd64:3.0"))
    [found] = problems(config)
    assert (found.where, found.warning) == ("services.kubelet.infra_container_image", True)
    assert found.hint == "rkx/pause:3.10 is taken instead"


@pytest.mark.parametrize(("mode", "left"), [("nftables", "tables"), ("ipvs", "virtual servers")])
def test_a_mode_of_kube_proxy_that_removal_does_not_clean_is_warned_of(mode: str, left: str) -> None:
    [found] = problems(KubernetesConfig(kubeproxy=Program(extra_args={"proxy-mode": mode})))
    assert (found.where, found.warning) == ("services.kubeproxy.extra_args.proxy-mode", True)
    assert left in found.message


@pytest.mark.parametrize("path", ["/var/log/audit.log", "/var/log/kube-audit", "audit.log", "/etc/kubernetes/x"])
def test_the_audit_log_stays_in_its_folder(path: str) -> None:
    log = AuditLog(configuration=AuditConfiguration(path=path))
    [found] = problems(KubernetesConfig(kube_api=KubeApi(audit_log=log)))
    assert found.where == "services.kube-api.audit_log.configuration.path"
    assert repr(path) in found.message


@pytest.mark.parametrize("text", ["30000", "32767-30000", "0-100", "30000-70000", "a-b"])
def test_a_range_of_ports_is_two_ports(text: str) -> None:
    [found] = problems(KubernetesConfig(kube_api=KubeApi(service_node_port_range=text)))
    assert found.where == "services.kube-api.service_node_port_range"


@pytest.mark.parametrize("plugins", ["PodSecurity", ["PodSecurity"], [{"configuration": {}}]])
def test_admission_plugins_need_names(plugins: object) -> None:
    [found] = problems(KubernetesConfig(kube_api=KubeApi(admission_configuration={"plugins": plugins})))
    assert found.where == "services.kube-api.admission_configuration.plugins"


def test_binds_and_variables_are_checked_each_with_its_place() -> None:
    extra = Kubelet(extra_binds=("/a:/b", "relative:/b"), extra_env=("A=1", "B"))
    found = problems(KubernetesConfig(kubelet=extra))
    assert [each.where for each in found] == ["services.kubelet.extra_binds[1]", "services.kubelet.extra_env[1]"]


def findings(changes: Mapping[str, Any], config: KubernetesConfig = PLAIN, **cluster: Any) -> list[rkx.Finding]:  # noqa: ANN401
    wanted = replace(CLUSTER, **cluster)
    seen = facts(wanted)
    seen["two"] = replace(seen["two"], **changes)
    return [each for each in KubernetesService(config).rkx_checks(wanted, seen) if isinstance(each, rkx.Finding)]


@pytest.mark.parametrize(
    ("changes", "check"),
    [
        ({"engine_version": "19.03.15"}, "Docker version"),
        ({"api_version": "1.40"}, "Docker version"),
        ({"security_options": ("name=seccomp,profile=default", "name=userns")}, "Docker security options"),
        ({"security_options": ("name=rootless",)}, "Docker security options"),
        ({"logging_driver": "journald"}, "logging driver"),
    ],
)
def test_a_machine_that_cannot_carry_a_node_is_found(changes: Mapping[str, Any], check: str) -> None:
    [found] = findings(changes)
    assert (found.node, found.check, found.warning) == ("two", check, False)


@pytest.mark.parametrize("version", ["20.10.24+dfsg1", "26.1.5", "29.0.1", "20.10.0-ce"])
def test_docker_from_20_10_on_is_fine(version: str) -> None:
    assert findings({"engine_version": version, "api_version": "1.41"}) == []


def test_an_old_docker_is_only_told_when_cluster_yml_says_so() -> None:
    [found] = findings({"engine_version": "19.03.15"}, ignore_docker_version=True)
    assert found.warning


def test_cgroup_v1_is_an_error_from_1_35_on_unless_told_otherwise() -> None:
    newer: dict[str, Any] = {"kubernetes_version": "v1.35.8", "image_layout": "public"}
    told = KubernetesConfig(kubelet=Kubelet(extra_args={"fail-cgroupv1": "false"}))
    assert findings({"cgroup_version": 1}) == []
    assert {each.check for each in findings({}, **newer)} == {"cgroup version"}
    assert findings({}, told, **newer) == []
    assert len(findings({"cgroup_version": 2}, **newer)) == 2


def test_ports_are_claimed_by_role_and_only_of_nodes_that_answered() -> None:
    seen = facts(CLUSTER)
    del seen["three"]
    claims = [each for each in KubernetesService(PLAIN).rkx_checks(CLUSTER, seen) if isinstance(each, rkx.PortClaim)]
    ports = {node: {claim.port for claim in claims if claim.node == node} for node in ("one", "two", "three")}
    assert ports == {
        "one": {2379, 2380, 6443, 10257, 10259, 10250, 10248, 10256, 10249, 10010},
        "two": {6443, 10250, 10248, 10256, 10249, 10010},
        "three": set(),
    }


@pytest.mark.parametrize("policy", [{"kind": "x"}, {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": 1}])
def test_what_is_no_audit_policy_is_refused(policy: Mapping[str, Any]) -> None:
    log = AuditLog(configuration=AuditConfiguration(policy=policy))
    [found] = problems(KubernetesConfig(kube_api=KubeApi(audit_log=log)))
    assert found.where == "services.kube-api.audit_log.configuration.policy"


@pytest.mark.parametrize(
    ("binds", "said"),
    [
        (("/srv:/srv:xx",), "is not a valid bind"),
        (("/srv:srv",), "is not a valid bind"),
        (("/srv:/srv:ro:x",), "is not a valid bind"),
        (("/srv", "/other:/srv/"), "'/srv' is bound twice"),
    ],
)
def test_binds_that_docker_would_refuse_are_named(binds: tuple[str, ...], said: str) -> None:
    [found] = problems(KubernetesConfig(kubelet=Kubelet(extra_binds=binds)))
    assert (found.where, said in found.message) == (f"services.kubelet.extra_binds[{len(binds) - 1}]", True)


@pytest.mark.parametrize("bind", ["/srv", "/srv:/srv", "/srv:/srv:ro", "/srv:/srv:ro,rshared", "/srv:/srv:z"])
def test_binds_as_docker_takes_them_are_no_problem(bind: str) -> None:
    assert problems(KubernetesConfig(kubelet=Kubelet(extra_binds=(bind,)))) == []


@pytest.mark.parametrize("flag", ["--event-ttl", "", "a b"])
def test_what_is_no_name_of_an_argument_is_refused(flag: str) -> None:
    [found] = problems(KubernetesConfig(kube_api=KubeApi(extra_args={flag: "5h"})))
    assert repr(flag) in found.message
