"""What metrics-server is in the cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import pytest
import yaml
from tests.conftest import Golden, decoded

import rkx
from rkx_addon_metrics_server import MetricsServer, MetricsServerConfig
from rkx_addon_metrics_server.config import UpdateStrategy

NETWORK = rkx.NetworkSettings(cni="flannel", pod_cidr="10.42.0.0/16")


def cluster(version: str = "v1.34.4", layout: Literal["public", "rkx"] = "public") -> rkx.Cluster:
    return rkx.Cluster(name="test", nodes=(), kubernetes_version=version, image_layout=layout)


def manifest(config: MetricsServerConfig, of: rkx.Cluster) -> rkx.Manifest:
    [found] = MetricsServer(config).rkx_addon_resources(cluster=of, network=NETWORK)
    assert isinstance(found, rkx.Manifest)
    return found


def deployment(config: MetricsServerConfig, of: rkx.Cluster | None = None) -> dict[str, Any]:
    documents = yaml.safe_load_all(manifest(config, of or cluster()).text)
    [spec] = [document["spec"] for document in documents if document["kind"] == "Deployment"]
    assert isinstance(spec, dict)
    return spec


def container(config: MetricsServerConfig, of: rkx.Cluster | None = None) -> dict[str, Any]:
    [found] = deployment(config, of)["template"]["spec"]["containers"]
    assert isinstance(found, dict)
    return found


def test_objects_are_as_recorded(golden: Golden) -> None:
    golden("metrics-server.yaml", manifest(MetricsServerConfig(), cluster()).text)


def test_pods_and_the_api_that_they_serve_are_waited_for() -> None:
    found = manifest(MetricsServerConfig(), cluster())
    assert found.after == (rkx.API_READY,)
    assert found.health_checks == (
        rkx.HealthCheck(kind="Deployment", namespace="kube-system", name="metrics-server"),
        rkx.HealthCheck(kind="APIService", namespace="", name="v1beta1.metrics.k8s.io"),
    )


def test_kubelets_are_verified() -> None:
    used = container(MetricsServerConfig())["args"]
    assert "--kubelet-certificate-authority=/var/run/secrets/kubernetes.io/serviceaccount/ca.crt" in used


@pytest.mark.parametrize("flag", ["kubelet-insecure-tls", "deprecated-kubelet-completely-insecure"])
def test_verification_stays_on_and_a_warning_says_so(flag: str) -> None:
    config = MetricsServerConfig(options={flag: "true"})
    assert container(config)["args"] == container(MetricsServerConfig())["args"]
    found = MetricsServer(config).rkx_validate(cluster=cluster())
    assert [(problem.where, problem.warning) for problem in found] == [(f"monitoring.options.{flag}", True)]


def test_flags_replace_ours_and_join_them() -> None:
    used = container(MetricsServerConfig(options={"metric-resolution": "30s", "v": "2", "logtostderr": ""}))["args"]
    assert [argument for argument in used if argument.startswith("--metric-resolution")] == ["--metric-resolution=30s"]
    assert {"--v=2", "--logtostderr"} <= set(used)


def test_placement_follows_the_options() -> None:
    config = MetricsServerConfig(
        replicas=2,
        node_selector={"disk": "ssd"},
        tolerations=({"key": "spot", "operator": "Exists"},),
        metrics_server_priority_class_name="high",
    )
    spec = deployment(config)
    pod = spec["template"]["spec"]
    assert (spec["replicas"], pod["priorityClassName"]) == (2, "high")
    assert pod["nodeSelector"] == {"kubernetes.io/os": "linux", "disk": "ssd"}
    assert [toleration["key"] for toleration in pod["tolerations"]] == ["node.kubernetes.io/not-ready", "spot"]


@pytest.mark.parametrize(
    ("update", "written"),
    [
        (UpdateStrategy(), {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}}),
        (UpdateStrategy(strategy="Recreate"), {"type": "Recreate"}),
    ],
)
def test_the_strategy_is_kubernetes_own(update: UpdateStrategy, written: Mapping[str, object]) -> None:
    assert deployment(MetricsServerConfig(update_strategy=update))["strategy"] == written


@pytest.mark.parametrize(
    ("of", "used"),
    [
        (cluster(layout="rkx"), "rkx/metrics-server:v0.9.0"),
        (cluster("v1.30.14"), "registry.k8s.io/metrics-server/metrics-server:v0.7.2"),
        (cluster("v1.33.13"), "registry.k8s.io/metrics-server/metrics-server:v0.8.1"),
        (cluster("v1.37.2"), "registry.k8s.io/metrics-server/metrics-server:v0.9.0"),
    ],
)
def test_the_image_follows_layout_and_minor(of: rkx.Cluster, used: str) -> None:
    assert container(MetricsServerConfig(), of)["image"] == used


def test_no_replica_is_refused() -> None:
    found = MetricsServer(MetricsServerConfig(replicas=0)).rkx_validate(cluster=cluster())
    assert [(problem.where, problem.message, problem.warning) for problem in found] == [
        ("monitoring.replicas", "replicas is 0, less than 1", False)
    ]


def test_defaults_are_accepted() -> None:
    assert MetricsServer(MetricsServerConfig()).rkx_validate(cluster=cluster()) == []


def test_options_decode_as_rke_spells_them() -> None:
    options = {"update_strategy": {"rollingUpdate": {"maxSurge": 1}}, "replicas": 2}
    strategy = UpdateStrategy(rollingUpdate={"maxSurge": 1})
    assert decoded(MetricsServerConfig, {}) == MetricsServerConfig()
    assert decoded(MetricsServerConfig, options) == MetricsServerConfig(update_strategy=strategy, replicas=2)
