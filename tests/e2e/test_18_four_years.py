"""A cluster whose operator never comes back: four years go by, and its nodes are Ready.

The machines share this computer's clock, so Kubernetes' own programs are built with a clock that is ahead by what a
file says when they start. etcd, the Engine and the pods stay in the present. The clock goes on in steps of half a year
at most, and never past nine tenths of a kubelet's certificate by more than a hundredth: by then it has asked in life.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pki
import pytest
import workload
import yaml
from harness import Cluster, Done, cluster_in, kubectl, run, until

from rkx_lab import images, push
from rkx_lab.state import Lab

pytestmark = [pytest.mark.lab, pytest.mark.timeout(2400)]
YEAR = timedelta(days=365.25)
STEP = YEAR / 2
LATE = 0.91
"""The part of a certificate's life after which a kubelet has asked for the next one."""
FOLDER = "/run/rkx-lab"
SHIFTED = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "kubelet")
OBSERVER = "observer"


@dataclass(kw_only=True)
class Years:
    """A cluster, how far its clock is ahead, and an observer whose certificate outlives it all."""

    cluster: Cluster
    ahead: timedelta = timedelta()

    @property
    def names(self) -> list[str]:
        return [machine.name for machine in self.cluster.machines]

    @property
    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def set(self) -> None:
        """Write how far the clock is ahead; programs read it when they start."""
        for name in self.names:
            script = f"mkdir -p {FOLDER} && echo {round(self.ahead.total_seconds())} >{FOLDER}/clock"
            self.cluster.on(name, "sh", "-c", script)

    def step(self) -> None:
        """Let time go by, and start anew what reads the clock."""
        held = [pki.held(self.cluster, name) for name in self.names]
        late = min(each.not_valid_before_utc + LATE * life(each) for each in held)
        self.ahead += min(STEP, max(late - self.now, timedelta(days=1)))
        self.set()
        running = f"docker restart -t 5 $(docker ps --format '{{{{.Names}}}}' | grep -xE '{'|'.join(SHIFTED)}')"
        for name in self.names:
            self.cluster.on(name, "sh", "-c", running)

    def is_well(self) -> bool:
        """Return whether every kubelet speaks since the step, is Ready, and has renewed each certificate in time."""
        done = self.observe("get", "nodes,leases", "-n", "kube-node-lease", "-o", "json")
        if done.code:
            return False
        items = done.json()["items"]
        spoke = {each["metadata"]["name"] for each in items if each["kind"] == "Lease" and self._is_fresh(each)}
        ready = {each["metadata"]["name"] for each in items if each["kind"] == "Node" and self._is_ready(each)}
        return spoke == ready == set(self.names) and not any(self.is_late(name) for name in self.names)

    def _is_fresh(self, lease: dict[str, Any]) -> bool:
        return self.is_of_this_step(lease["spec"]["renewTime"])

    def _is_ready(self, node: dict[str, Any]) -> bool:
        [ready] = [each for each in node["status"]["conditions"] if each["type"] == "Ready"]
        return ready["status"] == "True" and self.is_of_this_step(ready["lastHeartbeatTime"])

    def is_of_this_step(self, moment: str) -> bool:
        """Tell a moment since the clock was last put on from one before: a step is a day at least."""
        return datetime.fromisoformat(moment) > self.now - timedelta(hours=1)

    def is_late(self, name: str) -> bool:
        held = pki.held(self.cluster, name)
        return self.now >= held.not_valid_before_utc + 0.9 * life(held)

    def observe(self, *arguments: str, stdin: str | None = None) -> Done:
        """Run kubectl as the observer."""
        config = str(self.cluster.folder / OBSERVER)
        words = ("kubectl", "--kubeconfig", config, "--request-timeout=10s", *arguments)
        return run(str(kubectl()), *words, timeout_s=60, stdin=stdin)


def life(certificate: Any) -> timedelta:  # noqa: ANN401 - of cryptography
    span: timedelta = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    return span


def shifted_cluster(lab: Lab, folder: Path) -> Cluster:
    """Write a cluster.yml of two machines whose Kubernetes has the clock of the file."""
    archive = images.variant("kubernetes+shifted-clock")
    push.push(lab.registry, archive, archive.reference)
    cluster = cluster_in(lab, folder, lab.machines[:2])
    cluster.values["system_images"] = {"kubernetes": f"{lab.registry}/{archive.reference}"}
    for service in ("kube-api", "kube-controller", "scheduler"):
        cluster.values["services"].setdefault(service, {})["extra_binds"] = [f"{FOLDER}:{FOLDER}:ro"]
    cluster.values |= {"monitoring": {"provider": "none"}, "ingress": {"provider": "none"}}
    cluster.write()
    return cluster


def give_observer(cluster: Cluster) -> None:
    """Write a kubeconfig whose certificate lasts: the operator's own one ends after three years."""
    values = yaml.safe_load((cluster.folder / "kube_config_cluster.yml").read_text())
    certificate, key = pki.client(cluster, OBSERVER, ["system:masters"], timedelta(hours=1), 9 * YEAR)
    for name, text in {"certificate": certificate, "key": key}.items():
        (cluster.folder / f"{OBSERVER}.{name}").write_text(text)
    [user] = values["users"]
    paths = {"client-certificate": "certificate", "client-key": "key"}
    user["user"] = {name: str(cluster.folder / f"{OBSERVER}.{file}") for name, file in paths.items()}
    (cluster.folder / OBSERVER).write_text(yaml.safe_dump(values))


def runs_a_pod(years: Years) -> bool:
    """Return whether a new pod comes to run on the worker."""
    body = workload.pod(years.cluster, "late", years.names[-1])
    del body["metadata"]["namespace"], body["spec"]["nodeName"]
    years.observe("apply", "-n", "default", "-f", "-", stdin=json.dumps(body))
    return years.observe("wait", "-n", "default", "pod/late", "--for=condition=Ready", "--timeout=40s").code == 0


def test_after_four_years_without_an_operator_kubelets_have_renewed_and_nodes_are_ready(
    clean_lab: Lab, tmp_path: Path
) -> None:
    years = Years(cluster=shifted_cluster(clean_lab, tmp_path))
    years.set()
    years.cluster.rkx("up", "--plain", timeout_s=600).check()
    give_observer(years.cluster)
    serials: dict[str, set[int]] = {name: set() for name in years.names}
    while years.ahead < 4 * YEAR:
        years.step()
        until(years.is_well, f"all nodes are well after {years.ahead.days} days", 240)
        for name in years.names:
            serials[name].add(pki.held(years.cluster, name).serial_number)
    held: Sequence[Any] = [pki.held(years.cluster, name) for name in years.names]
    assert all(pki.is_self_renewed(each) and each.not_valid_after_utc > years.now for each in held)
    assert all(len(each) >= 3 for each in serials.values()), serials
    assert all(pki.issued(years.cluster, name).not_valid_after_utc < years.now for name in years.names)
    until(lambda: runs_a_pod(years), "a new pod runs", 120)
