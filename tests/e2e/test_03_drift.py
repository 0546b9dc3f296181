"""What somebody changed by hand is found, named and repaired, alone; pods notice nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from harness import Cluster, until
from running import HOLD_LEASES, differing, own, planned, pods, up
from workload import Workload

pytestmark = [pytest.mark.lab, pytest.mark.demonstration(3), pytest.mark.timeout(900)]
CONFIG = "/etc/kubernetes/kube-proxy/config.yaml"
FLANNEL = ("configmap", "-n", "kube-flannel", "kube-flannel-cfg")


@pytest.fixture(autouse=True)
def pods_run_on(work: Workload) -> Iterator[None]:
    """Hold every pod's containers and their times of start against those after the test."""
    before = pods(work.cluster)
    assert len(before) > 10
    yield
    assert pods(work.cluster) == before
    work.cluster.has_nothing_to_do()


def test_container_when_removed_by_hand_is_made_again_alone(cluster: Cluster) -> None:
    worker, before = cluster.machines[1].name, own(cluster)
    cluster.on(worker, "docker", "rm", "-f", "kube-proxy")
    assert planned(cluster) == [("create", f"{worker} container kube-proxy", "missing")]
    up(cluster)
    assert differing(cluster, before) == {(worker, "kube-proxy")}


def test_file_when_changed_by_hand_is_written_again_and_read(cluster: Cluster) -> None:
    worker, before = cluster.machines[2].name, own(cluster)
    content = cluster.on(worker, "cat", CONFIG)
    cluster.on(worker, "sh", "-c", f"echo '# mine' >>{CONFIG}; chmod 0644 {CONFIG}")
    assert planned(cluster) == [
        ("restart", f"{worker} container kube-proxy", f"{CONFIG} changed"),
        ("update", f"{worker} file {CONFIG}", "content differs"),
    ]
    up(cluster)
    assert cluster.on(worker, "cat", CONFIG) == content
    assert cluster.on(worker, "stat", "-c", "%a %u %g", CONFIG) == "600 0 0\n"
    changed = differing(cluster, before)
    assert changed == {(worker, "kube-proxy")}
    assert all(own(cluster)[key][0] == before[key][0] for key in changed)  # restarted, not made anew


def test_config_map_of_flannel_when_deleted_comes_back_alone(cluster: Cluster) -> None:
    before = own(cluster)
    held = cluster.kubectl("get", *FLANNEL, "-o", "json").check().json()["data"]
    cluster.kubectl("delete", *FLANNEL).check()
    assert planned(cluster) == [("create", "configmap kube-flannel/kube-flannel-cfg", "missing")]
    up(cluster)
    assert cluster.kubectl("get", *FLANNEL, "-o", "json").check().json()["data"] == held
    assert differing(cluster, before) == set()


def test_restart_policy_when_taken_by_hand_is_set_again(cluster: Cluster) -> None:
    worker, before = cluster.machines[1].name, own(cluster)
    cluster.on(worker, "docker", "update", "--restart", "no", "kubelet")
    [(verb, key, reason)] = planned(cluster)
    assert (verb, key) == ("update", f"{worker} container kubelet")
    assert "restart policy" in reason
    up(cluster)
    policy = cluster.on(worker, "docker", "inspect", "-f", "{{.HostConfig.RestartPolicy.Name}}", "kubelet")
    assert policy == "always\n"
    assert differing(cluster, before) == set()


def test_etcd_when_stopped_is_started_and_nothing_else_is_touched(cluster: Cluster) -> None:
    server, before = cluster.machines[0].name, own(cluster)
    cluster.on(server, "docker", "stop", "etcd")
    plan = cluster.plan()
    changes = [(each["verb"], each["name"], each["reason"]) for each in plan["actions"] if each["node"]]
    assert changes == [("start", "etcd", "is exited")]
    assert plan["unknown"]  # what the API server holds
    up(cluster)
    until(lambda: cluster.kubectl("get", "--raw", "/readyz").out == "ok", "the API server is ready", limit_s=60)
    after = own(cluster)
    assert {key: identity for key, (identity, _) in after.items()} == {key: each[0] for key, each in before.items()}
    assert {name for _, name in differing(cluster, before)} - HOLD_LEASES == {"etcd"}
