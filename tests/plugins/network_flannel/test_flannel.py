"""What flannel asks of nodes and cluster."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import pytest
import yaml
from msgspec.structs import replace
from tests.conftest import Golden, decoded

import rkx
from rkx.config import load_text
from rkx_network_flannel import FlannelConfig, FlannelNetwork
from rkx_network_flannel.config import UpdateStrategy

NODES = (
    rkx.Node(
        name="one",
        address="192.0.2.1",
        internal_address="192.0.2.1",
        roles=frozenset({"controlplane", "etcd"}),
        transport="ssh",
    ),
    rkx.Node(
        name="two", address="192.0.2.2", internal_address="192.0.2.2", roles=frozenset({"worker"}), transport="ssh"
    ),
)
CLUSTER = rkx.Cluster(
    name="test",
    nodes=NODES,
    kubernetes_version="v1.34.4",
    network=rkx.PluginRef(
        stage="network",
        name="flannel",
        options_where=MappingProxyType({"backend_vni": "network.options.flannel_backend_vni"}),
    ),
)


def resources(config: FlannelConfig, cluster: rkx.Cluster = CLUSTER) -> list[rkx.Resource]:
    plugin = FlannelNetwork(config)
    network = plugin.rkx_network_settings(cluster=cluster, facts={})
    return list(plugin.rkx_network_resources(cluster=cluster, facts={}, network=network))


def manifest(config: FlannelConfig, cluster: rkx.Cluster = CLUSTER) -> rkx.Manifest:
    [found] = [item for item in resources(config, cluster) if isinstance(item, rkx.Manifest)]
    return found


def documents(config: FlannelConfig, cluster: rkx.Cluster = CLUSTER) -> dict[str, Any]:
    return {document["kind"]: document for document in yaml.safe_load_all(manifest(config, cluster).text)}


def net_conf(found: Mapping[str, Any]) -> dict[str, Any]:
    written: dict[str, Any] = json.loads(found["ConfigMap"]["data"]["net-conf.json"])
    return written


def pod(found: Mapping[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = found["DaemonSet"]["spec"]["template"]["spec"]
    return spec


def facts(default_mtu: int = 1500) -> rkx.Facts:
    interfaces = (
        rkx.Interface(name="lo", mtu_bytes=65536),
        rkx.Interface(name="eth0", mtu_bytes=default_mtu),
        rkx.Interface(name="eth1", mtu_bytes=9000),
    )
    host = rkx.HostFacts(interfaces=interfaces, default_interface="eth0")
    prepared = rkx.NodeFacts(engine_id="a", engine_version="20.10.24", api_version="1.41", host=host)
    return {"one": prepared, "two": rkx.NodeFacts(engine_id="b", engine_version="20.10.24", api_version="1.41")}


def test_objects_are_as_recorded(golden: Golden) -> None:
    golden("flannel.yaml", manifest(FlannelConfig()).text)


def test_whatever_flannel_may_write_is_held_to_its_own_node() -> None:
    """What the policy refuses is tried on machines: here that it is bound, and is about this user and these writes."""
    found = documents(FlannelConfig())
    policy, binding = found["ValidatingAdmissionPolicy"]["spec"], found["ValidatingAdmissionPolicyBinding"]["spec"]
    name = found["ValidatingAdmissionPolicy"]["metadata"]["name"]
    assert (binding, policy["failurePolicy"]) == ({"policyName": name, "validationActions": ["Deny"]}, "Fail")
    [subject], [condition] = found["ClusterRoleBinding"]["subjects"], policy["matchConditions"]
    user = f"system:serviceaccount:{subject['namespace']}:{subject['name']}"
    assert condition["expression"] == f"request.userInfo.username == '{user}'"
    assert pod(found)["serviceAccountName"] == subject["name"]
    writing = [rule for rule in found["ClusterRole"]["rules"] if not {"get", "list", "watch"}.issuperset(rule["verbs"])]
    [matched] = policy["matchConstraints"]["resourceRules"]
    assert [rule["verbs"] for rule in writing] == [["patch"]]
    assert set(writing[0]["resources"]) <= set(matched["resources"])
    assert {each["reason"] for each in policy["validations"]} == {"Forbidden"}  # without, the answer is a 422


def test_the_manifest_waits_for_the_api_and_for_its_pods() -> None:
    found = manifest(FlannelConfig())
    assert found.after == (rkx.API_READY,)
    assert found.health_checks == (rkx.HealthCheck(kind="DaemonSet", namespace="kube-flannel", name="kube-flannel-ds"),)


def test_services_learn_of_ranges_modules_and_sysctls() -> None:
    settings = FlannelNetwork(FlannelConfig()).rkx_network_settings(cluster=CLUSTER, facts={})
    assert (settings.cni, settings.pod_cidr, settings.kube_proxy_mode) == ("flannel", "10.42.0.0/16", "iptables")
    assert settings.allocate_node_cidrs
    assert settings.modules == ("br_netfilter",)
    assert settings.sysctls == {"net.bridge.bridge-nf-call-iptables": "1", "net.ipv4.ip_forward": "1"}


def test_vxlan_takes_port_and_vni() -> None:
    assert net_conf(documents(FlannelConfig(backend_port=4789, backend_vni=4096))) == {
        "Network": "10.42.0.0/16",
        "EnableNFTables": False,
        "Backend": {"Type": "vxlan", "VNI": 4096, "Port": 4789},
    }


def test_host_gw_has_neither() -> None:
    assert net_conf(documents(FlannelConfig(backend_type="host-gw")))["Backend"] == {"Type": "host-gw"}


def test_changed_configuration_makes_new_pods() -> None:
    digests = {
        documents(config)["DaemonSet"]["spec"]["template"]["metadata"]["annotations"]["checksum/net-conf"]
        for config in (FlannelConfig(), FlannelConfig(backend_vni=2), FlannelConfig())
    }
    assert len(digests) == 2


@pytest.mark.parametrize(("iface", "listed"), [("", []), ("eth1", ["--iface=eth1"])])
def test_an_interface_is_passed_on(iface: str, listed: list[str]) -> None:
    arguments = pod(documents(FlannelConfig(iface=iface)))["containers"][0]["args"]
    assert [argument for argument in arguments if argument.startswith("--iface")] == listed


def test_placement_follows_the_options() -> None:
    config = FlannelConfig(
        node_selector={"disk": "ssd"},
        kube_flannel_priority_class_name="high",
        update_strategy=UpdateStrategy(rollingUpdate={"maxUnavailable": "10%"}),
    )
    found = documents(config)
    assert pod(found)["nodeSelector"] == {"kubernetes.io/os": "linux", "disk": "ssd"}
    assert pod(found)["priorityClassName"] == "high"
    assert found["DaemonSet"]["spec"]["updateStrategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": "10%"},
    }


def test_on_delete_has_no_figures() -> None:
    found = documents(FlannelConfig(update_strategy=UpdateStrategy(strategy="OnDelete")))
    assert found["DaemonSet"]["spec"]["updateStrategy"] == {"type": "OnDelete"}


@pytest.mark.parametrize(
    ("layout", "images", "used"),
    [
        ("public", {}, "ghcr.io/flannel-io/flannel:v0.28.10"),
        ("rkx", {}, "rkx/flannel:v0.28.10"),
        ("rkx", {"flannel": "registry.example.org/flannel:1"}, "registry.example.org/flannel:1"),
    ],
)
def test_the_image_follows_layout_and_system_images(
    layout: Literal["public", "rkx"], images: Mapping[str, str], used: str
) -> None:
    cluster = rkx.Cluster(name="a", nodes=NODES, kubernetes_version="v1.34.4", image_layout=layout, images=images)
    assert pod(documents(FlannelConfig(), cluster))["containers"][0]["image"] == used


def test_each_node_has_its_cni_configuration() -> None:
    files = [item for item in resources(FlannelConfig(mtu=1400)) if isinstance(item, rkx.File)]
    assert [(item.node, str(item.path), item.mode) for item in files] == [
        ("one", "/etc/cni/net.d/10-flannel.conflist", 0o600),
        ("two", "/etc/cni/net.d/10-flannel.conflist", 0o600),
    ]
    assert isinstance(files[0].content, bytes)
    assert json.loads(files[0].content) == {
        "name": "cbr0",
        "cniVersion": "0.3.1",
        "plugins": [
            {"type": "flannel", "delegate": {"hairpinMode": True, "isDefaultGateway": True, "mtu": 1400}},
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ],
    }


def test_without_mtu_flannel_chooses() -> None:
    [file, _] = [item for item in resources(FlannelConfig()) if isinstance(item, rkx.File)]
    assert isinstance(file.content, bytes)
    assert "mtu" not in json.loads(file.content)["plugins"][0]["delegate"]


def test_what_is_left_on_a_node_is_named() -> None:
    [leaves, _] = [item for item in resources(FlannelConfig(backend_vni=7)) if isinstance(item, rkx.HostCleanup)]
    assert (leaves.links, leaves.chains, leaves.routes) == (
        ("flannel.7", "cni0"),
        ("FLANNEL-", "CNI-"),
        ("10.42.0.0/16",),
    )


def test_keys_are_unique() -> None:
    keys = [item.key for item in resources(FlannelConfig())]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(
    ("config", "where", "message"),
    [
        (FlannelConfig(backend_port=0), "network.options.backend_port", "backend_port is 0, outside 1..65535"),
        (
            FlannelConfig(backend_vni=1 << 24),
            "network.options.flannel_backend_vni",
            "backend_vni is 16777216, outside 1..16777215",
        ),
        (FlannelConfig(mtu=1279), "network.options.mtu", "mtu is 1279 bytes, neither 0 nor in 1280..9000"),
    ],
)
def test_figures_out_of_range_are_refused(config: FlannelConfig, where: str, message: str) -> None:
    found = FlannelNetwork(config).rkx_validate(cluster=CLUSTER)
    assert [(problem.where, problem.message, problem.warning) for problem in found] == [(where, message, False)]


def test_defaults_and_figures_at_the_edge_are_accepted() -> None:
    for config in (FlannelConfig(), FlannelConfig(mtu=1280, backend_port=65535), FlannelConfig(mtu=9000)):
        assert FlannelNetwork(config).rkx_validate(cluster=CLUSTER) == []


def test_tolerations_are_warned_about() -> None:
    found = FlannelNetwork(FlannelConfig(tolerations=({"operator": "Exists"},))).rkx_validate(cluster=CLUSTER)
    assert [(problem.where, problem.warning) for problem in found] == [("network.options.tolerations", True)]


def test_a_missing_interface_is_found_where_it_is_known() -> None:
    found = FlannelNetwork(FlannelConfig(iface="eth7")).rkx_checks(cluster=CLUSTER, facts=facts())
    assert found == [
        rkx.Finding(
            node="one",
            check="flannel-interface",
            message="no interface 'eth7', as flannel's iface asks for",
            hint="the node has lo, eth0, eth1; leave iface out to take the default route's",
        )
    ]


@pytest.mark.parametrize(
    ("config", "found"),
    [
        (FlannelConfig(mtu=1450), []),
        (FlannelConfig(mtu=1451), ["mtu 1451 is more than the 1450 bytes that pods have on eth0"]),
        (FlannelConfig(mtu=1500, backend_type="host-gw"), []),
        (FlannelConfig(mtu=8950, iface="eth1"), []),
        (FlannelConfig(mtu=8951, iface="eth1"), ["mtu 8951 is more than the 8950 bytes that pods have on eth1"]),
    ],
)
def test_an_mtu_must_fit_its_interface(config: FlannelConfig, found: list[str]) -> None:
    checks = FlannelNetwork(config).rkx_checks(cluster=CLUSTER, facts=facts())
    assert [check.message for check in checks if isinstance(check, rkx.Finding)] == found


def test_options_decode_from_text_too() -> None:
    """RKE's ``network.options`` is a map of strings."""
    assert decoded(FlannelConfig, {}) == FlannelConfig()
    written = "network: {plugin: flannel, options: {flannel_backend_port: '4789', flannel_backend_vni: 4096}}"
    node = "nodes: [{address: one, user: me, role: [controlplane, etcd]}]"
    options = load_text(f"{written}\n{node}\n", Path("cluster.yml")).cluster.network.options
    assert decoded(FlannelConfig, options) == FlannelConfig(backend_port=4789, backend_vni=4096)


def test_a_profile_is_told_what_flannel_does_not_enforce() -> None:
    plugin = FlannelNetwork(FlannelConfig())
    [found] = plugin.rkx_validate(replace(CLUSTER, profile="cis"))
    assert (found.where, found.warning) == ("network.plugin", True)
    assert "enforces no network policies" in found.message
    assert plugin.rkx_validate(CLUSTER) == []
    assert not plugin.rkx_network_settings(CLUSTER, {}).enforces_policies
