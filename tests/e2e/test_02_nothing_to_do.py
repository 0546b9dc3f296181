"""A second `rkx up` plans nothing and touches nothing."""

from __future__ import annotations

import pytest
from harness import Cluster

pytestmark = [pytest.mark.lab, pytest.mark.demonstration(2), pytest.mark.timeout(900)]
KINDS = (
    "configmaps,secrets,services,deployments,daemonsets,serviceaccounts,clusterroles,clusterrolebindings,apiservices"
)


def versions(cluster: Cluster) -> dict[str, str]:
    """Give the resource version of every object that rkx applies."""
    return {item["metadata"]["uid"]: item["metadata"]["resourceVersion"] for item in cluster.objects(KINDS, "-A")}


def test_second_up_when_nothing_changed_touches_nothing(cluster: Cluster) -> None:
    containers, objects = cluster.every_container(), versions(cluster)
    assert cluster.plan()["actions"] == []
    cluster.rkx("up", "--plain").check()
    assert cluster.every_container() == containers
    assert versions(cluster) == objects
