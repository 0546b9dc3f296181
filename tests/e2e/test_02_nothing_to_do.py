"""A second `rkx up` plans nothing and touches nothing."""

from __future__ import annotations

import pytest
from harness import Cluster
from running import Containers, own, pods

pytestmark = [pytest.mark.lab, pytest.mark.demonstration(2), pytest.mark.timeout(900)]
KINDS = (
    "configmaps,secrets,services,deployments,daemonsets,serviceaccounts,clusterroles,clusterrolebindings,apiservices,"
    "validatingadmissionpolicies,validatingadmissionpolicybindings"
)


def versions(cluster: Cluster) -> dict[str, str]:
    """Return the resource version of every object that rkx applies."""
    return {item["metadata"]["uid"]: item["metadata"]["resourceVersion"] for item in cluster.objects(KINDS, "-A")}


def system_pods(cluster: Cluster) -> Containers:
    """Return the running containers of the cluster's own pods."""
    return {key: each for key, each in pods(cluster).items() if "_kube-" in key[1]}


def logins(cluster: Cluster) -> dict[str, int]:
    """Count by machine what its sshd let in so far."""
    script = "grep -c 'Accepted ' /var/log/sshd.log"
    return {machine.name: int(cluster.on(machine.name, "sh", "-c", script)) for machine in cluster.machines}


def test_second_up_when_nothing_changed_touches_nothing(cluster: Cluster) -> None:
    cluster.has_nothing_to_do()
    before = logins(cluster)
    containers, system, objects = own(cluster), system_pods(cluster), versions(cluster)
    cluster.rkx("up", "--plain").check()
    assert {machine: count - before[machine] for machine, count in logins(cluster).items()} == dict.fromkeys(before, 1)
    assert own(cluster) == containers
    assert system_pods(cluster) == system
    assert versions(cluster) == objects
