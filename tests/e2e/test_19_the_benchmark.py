"""A cluster of each profile comes to the verdicts that are documented; a machine with another kernel is refused."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pytest
from harness import Cluster, cluster_in

from rkx_cis import gather, site, table
from rkx_cis.checks import PROFILES, Profile, expected
from rkx_lab import inside
from rkx_lab.state import Lab

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]


@pytest.mark.parametrize("profile", PROFILES)
def test_running_cluster_when_judged_comes_to_the_documented_verdicts(
    clean_lab: Lab, tmp_path: Path, profile: Profile
) -> None:
    cluster = Cluster(lab=clean_lab, folder=tmp_path, machines=clean_lab.machines[:2])
    site.write(clean_lab, cluster.file, profile)
    with site.kernel(clean_lab) if profile == "cis" else nullcontext():
        cluster.rkx("up", "--plain", timeout_s=600).check()
        rows = table.judge(gather.evidence(clean_lab, cluster.file, lambda kind: cluster.objects(kind, "-A")))
        cluster.has_nothing_to_do()
    other = [(check.id, verdict) for check, verdict in rows if verdict.result != expected(check, profile)]
    assert other == [], "\n".join(table.shown(rows, profile))
    assert table.unexplained(rows, profile) == []


def test_machine_when_its_kernel_is_set_otherwise_is_refused_and_taken_once_mended(
    clean_lab: Lab, tmp_path: Path
) -> None:
    cluster = cluster_in(clean_lab, tmp_path, clean_lab.machines[:1])
    cluster.values["profile"] = "cis"
    cluster.values["nodes"][0]["role"] = ["controlplane", "etcd", "worker"]
    cluster.write()
    [machine] = cluster.machines
    with site.kernel(clean_lab):
        inside.run(clean_lab, machine.name, "sh", "-c", "echo 7 >/proc/sys/kernel/panic")
        refused = cluster.rkx("up", "--plain").check(6)
        assert f"{machine.name}: kernel.panic is 7; profile cis wants 10" in refused.err
        assert "kubelet" not in cluster.containers(machine.name)
        inside.run(clean_lab, machine.name, "sh", "-c", "echo 10 >/proc/sys/kernel/panic")
        cluster.rkx("up", "--plain", timeout_s=600).check()
        cluster.has_nothing_to_do()
