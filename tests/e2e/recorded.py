"""A cluster brought up from clean machines while somebody watches: what rkx asks, tells, and leaves to be seen."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import watch
import workload
import yaml
from harness import Cluster, cluster_in
from tap import Request, Tap

import rkx
from rkx.api import Options, Run, remove, up
from rkx.events import Event
from rkx_lab.state import Lab
from rkx_transport_ssh import SshConfig


@dataclass(kw_only=True)
class Recorded:
    """One cluster's life so far: the requests and events of each of its runs."""

    cluster: Cluster
    tap: Tap
    requests: dict[str, list[Request]] = field(default_factory=dict)
    events: dict[str, list[Event]] = field(default_factory=dict)

    def run(self, name: str, work: Any = up) -> None:  # noqa: ANN401 - up or remove
        """Do one run to a good end, and keep what was asked and told under a name."""
        project = rkx.load(self.cluster.file, plugins=[self.tap])
        run: Run = work(project, Options(accept=lambda _: True))
        with run:
            self.events[name] = list(run)
        run.wait()
        self.requests[name] = self.tap.taken()

    def change(self) -> None:
        """Change arguments of three services, one of which reads them from a file, and stop a container."""
        values = yaml.safe_load(self.cluster.file.read_text())
        for service, argument in {"kube-api": "max-requests-inflight", "kubelet": "max-pods"}.items():
            values["services"].setdefault(service, {}).setdefault("extra_args", {})[argument] = "99"
        values["services"]["kubeproxy"]["extra_args"]["conntrack-tcp-timeout-established"] = "11h"
        self.cluster.file.write_text(yaml.safe_dump(values, sort_keys=False))
        self.cluster.on(self.cluster.machines[0].name, "docker", "stop", "kube-scheduler")
        self.run("change")

    def remove(self) -> None:
        """Take the cluster down."""
        self.run("remove", remove)

    def said(self) -> str:
        """Return all that rkx has told: each event as a line, and with the plan in it."""
        lines = [json.dumps(event.as_dict()) for those in self.events.values() for event in those]
        return "\n".join([*lines, *(repr(event) for those in self.events.values() for event in those)])


def bring_up(lab: Lab, folder: Path) -> Recorded:
    """Bring a cluster up on clean machines, watched from before the first request on."""
    cluster = cluster_in(lab, folder, lab.machines[:3])
    workload.furnish(cluster)
    config = SshConfig(user="root", ssh_key_path=str(lab.key), known_hosts=str(lab.known_hosts))
    recorded = Recorded(cluster=cluster, tap=Tap(config))
    watch.begin(cluster)
    recorded.run("up")
    watch.end(cluster)
    return recorded
