"""What CoreDNS is in the cluster."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

import pytest
import yaml
from tests.conftest import Golden, decoded

import rkx
from rkx_addon_coredns import CoreDns, CoreDnsConfig
from rkx_addon_coredns.config import CoreDnsOptions, UpdateStrategy

NETWORK = rkx.NetworkSettings(cni="flannel", pod_cidr="10.42.0.0/16")


def cluster(
    nodes: int = 3,
    version: str = "v1.34.4",
    layout: Literal["public", "rkx"] = "public",
    places: Mapping[str, str] = MappingProxyType({}),
) -> rkx.Cluster:
    return rkx.Cluster(
        name="test",
        nodes=tuple(
            rkx.Node(
                name=f"n{index}",
                address="192.0.2.1",
                internal_address="192.0.2.1",
                roles=frozenset({"worker"}),
                transport="ssh",
            )
            for index in range(nodes)
        ),
        kubernetes_version=version,
        dns_domain="example.internal",
        dns_address="10.43.0.10",
        image_layout=layout,
        addons=(rkx.PluginRef(stage="addon", name="coredns", options_where=places),),
    )


def manifest(config: CoreDnsConfig, of: rkx.Cluster) -> rkx.Manifest:
    [found] = CoreDns(config).rkx_addon_resources(cluster=of, network=NETWORK)
    assert isinstance(found, rkx.Manifest)
    return found


def documents(config: CoreDnsConfig, of: rkx.Cluster | None = None) -> dict[str, dict[str, Any]]:
    return {document["kind"]: document for document in yaml.safe_load_all(manifest(config, of or cluster()).text)}


def corefile(config: CoreDnsConfig) -> str:
    text: str = documents(config)["ConfigMap"]["data"]["Corefile"]
    return text


def pod(config: CoreDnsConfig, of: rkx.Cluster | None = None) -> dict[str, Any]:
    spec: dict[str, Any] = documents(config, of)["Deployment"]["spec"]["template"]["spec"]
    return spec


def test_objects_are_as_recorded(golden: Golden) -> None:
    golden("coredns.yaml", manifest(CoreDnsConfig(), cluster()).text)


def test_the_corefile_is_as_recorded(golden: Golden) -> None:
    config = CoreDnsConfig(
        upstreamnameservers=("192.0.2.53", "[2001:db8::53]:5353"),
        stubdomains={"corp.example.org": ("198.51.100.1", "198.51.100.2"), "a.example.org": ("198.51.100.3",)},
    )
    golden("Corefile", corefile(config))


def test_the_manifest_waits_for_the_api_and_for_its_pods() -> None:
    found = manifest(CoreDnsConfig(), cluster())
    assert found.after == (rkx.API_READY,)
    assert found.health_checks == (rkx.HealthCheck(kind="Deployment", namespace="kube-system", name="coredns"),)


def test_the_service_has_the_clusters_dns_address() -> None:
    assert documents(CoreDnsConfig())["Service"]["spec"]["clusterIP"] == "10.43.0.10"


def test_other_names_go_to_the_nodes_servers_unless_told_otherwise() -> None:
    assert "forward . /etc/resolv.conf {" in corefile(CoreDnsConfig())
    assert "forward . 192.0.2.53 {" in corefile(CoreDnsConfig(upstreamnameservers=("192.0.2.53",)))


def test_nothing_stops_the_pod_for_a_server_that_points_back() -> None:
    assert "loop" not in corefile(CoreDnsConfig()).split()


def test_reverse_ranges_are_plain_words() -> None:
    text = corefile(CoreDnsConfig(reversecidrs=("42.10.in-addr.arpa",)))
    assert "kubernetes example.internal 42.10.in-addr.arpa {" in text
    assert "fallthrough 42.10.in-addr.arpa\n" in text


def test_a_changed_corefile_makes_new_pods() -> None:
    def annotations(config: CoreDnsConfig) -> object:
        return documents(config)["Deployment"]["spec"]["template"]["metadata"]["annotations"]

    assert annotations(CoreDnsConfig()) == annotations(CoreDnsConfig())
    assert annotations(CoreDnsConfig()) != annotations(CoreDnsConfig(upstreamnameservers=("192.0.2.53",)))


@pytest.mark.parametrize(("nodes", "replicas"), [(1, 1), (3, 1), (4, 1), (5, 2), (9, 3)])
def test_replicas_grow_with_the_cluster(nodes: int, replicas: int) -> None:
    assert documents(CoreDnsConfig(), cluster(nodes))["Deployment"]["spec"]["replicas"] == replicas


def test_placement_follows_the_options() -> None:
    config = CoreDnsConfig(
        node_selector={"disk": "ssd"},
        tolerations=({"key": "spot", "operator": "Exists"},),
        options=CoreDnsOptions(coredns_priority_class_name="high"),
    )
    spec = pod(config)
    assert spec["nodeSelector"] == {"kubernetes.io/os": "linux", "disk": "ssd"}
    assert spec["priorityClassName"] == "high"
    assert [toleration["key"] for toleration in spec["tolerations"]] == ["node.kubernetes.io/not-ready", "spot"]


def test_the_pod_leaves_a_node_that_died() -> None:
    tolerated = pod(CoreDnsConfig())["tolerations"]
    assert all(toleration.get("key") for toleration in tolerated)
    assert not [toleration for toleration in tolerated if toleration["key"] == "node.kubernetes.io/unreachable"]


@pytest.mark.parametrize(
    ("update", "written"),
    [
        (UpdateStrategy(), {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}),
        (
            UpdateStrategy(rollingUpdate={"maxUnavailable": "50%"}),
            {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "50%"}},
        ),
        (UpdateStrategy(strategy="Recreate"), {"type": "Recreate"}),
    ],
)
def test_the_strategy_is_kubernetes_own(update: UpdateStrategy, written: Mapping[str, object]) -> None:
    assert documents(CoreDnsConfig(update_strategy=update))["Deployment"]["spec"]["strategy"] == written


@pytest.mark.parametrize(
    ("of", "used"),
    [
        (cluster(layout="rkx"), "rkx/coredns:v1.14.7"),
        (cluster(version="v1.30.14"), "registry.k8s.io/coredns/coredns:v1.11.1"),
        (cluster(version="v1.34.4"), "registry.k8s.io/coredns/coredns:v1.12.1"),
        (cluster(version="v1.37.2"), "registry.k8s.io/coredns/coredns:v1.14.6"),
    ],
)
def test_the_image_follows_layout_and_minor(of: rkx.Cluster, used: str) -> None:
    assert pod(CoreDnsConfig(), of)["containers"][0]["image"] == used


@pytest.mark.parametrize(
    ("config", "where", "value"),
    [
        (CoreDnsConfig(upstreamnameservers=("192.0.2.53", "192.0.2.1 192.0.2.2")), "dns.up[1]", "192.0.2.1 192.0.2.2"),
        (CoreDnsConfig(reversecidrs=("a {\n evil",)), "dns.reversecidrs[0]", "a {\n evil"),
        (CoreDnsConfig(stubdomains={"a b": ("192.0.2.1",)}), "dns.stubdomains.a b", "a b"),
        (CoreDnsConfig(stubdomains={"a.example.org": ("}",)}), "dns.stubdomains.a.example.org[0]", "}"),
    ],
)
def test_what_would_break_the_corefile_is_refused(config: CoreDnsConfig, where: str, value: str) -> None:
    of = cluster(places=MappingProxyType({"upstreamnameservers": "dns.up"}))
    found = CoreDns(config).rkx_validate(cluster=of)
    assert [(problem.where, problem.message) for problem in found] == [
        (where, f"{value!r} is neither a name nor an address")
    ]


def test_a_stub_domain_without_servers_is_refused() -> None:
    found = CoreDns(CoreDnsConfig(stubdomains={"a.example.org": ()})).rkx_validate(cluster=cluster())
    assert [problem.message for problem in found] == ["no server is given for this domain"]


def test_defaults_are_accepted() -> None:
    assert CoreDns(CoreDnsConfig()).rkx_validate(cluster=cluster()) == []


def test_options_decode_as_rke_spells_them() -> None:
    assert decoded(CoreDnsConfig, {}) == CoreDnsConfig()
    assert decoded(CoreDnsConfig, {"stubdomains": {"a.example.org": ["192.0.2.1"]}, "options": {}}) == CoreDnsConfig(
        stubdomains={"a.example.org": ("192.0.2.1",)}
    )
