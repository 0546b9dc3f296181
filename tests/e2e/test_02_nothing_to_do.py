"""A second `rkx up` plans nothing and touches nothing."""

from __future__ import annotations

import pytest
from harness import Cluster
from running import Containers, own, pods

pytestmark = [pytest.mark.lab, pytest.mark.demonstration(2), pytest.mark.timeout(900)]
KINDS = (
    "configmaps,secrets,services,deployments,daemonsets,serviceaccounts,clusterroles,clusterrolebindings,apiservices"
)


def versions(cluster: Cluster) -> dict[str, str]:
    """Give the resource version of every object that rkx applies."""
    return {item["metadata"]["uid"]: item["metadata"]["resourceVersion"] for item in cluster.objects(KINDS, "-A")}


def system_pods(cluster: Cluster) -> Containers:
    """Give the running containers of the cluster's own pods."""
    return {key: each for key, each in pods(cluster).items() if "_kube-" in key[1]}


def test_second_up_when_nothing_changed_touches_nothing(cluster: Cluster) -> None:
    cluster.has_nothing_to_do()
    containers, system, objects = own(cluster), system_pods(cluster), versions(cluster)
    cluster.rkx("up", "--plain").check()
    assert own(cluster) == containers
    assert system_pods(cluster) == system
    assert versions(cluster) == objects
