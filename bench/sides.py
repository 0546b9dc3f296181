"""The two sides of each pair: rkx, and the script that does the least."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml
from finish import done_after_s, is_done, kubectl
from path import Stretch, critical_path
from timed import BIN, Failed, Timed, run

from rkx_lab import images, inside, machines
from rkx_lab.archives import Archive
from rkx_lab.state import Lab

HERE = Path(__file__).parent
LIMIT = HERE / "limit.py"
NODES = 3
IMAGES = {
    "k8s": "kubernetes",
    "etcd": "etcd",
    "tools": "tools",
    "flannel": "flannel",
    "coredns": "coredns",
    "pause": "pause",
}


def limit_digest() -> str:
    """Return the digest of limit.py: results with another one cannot be compared."""
    return sha256(LIMIT.read_bytes()).hexdigest()


def fresh(lab: Lab, *, preload: bool, cluster: Mapping[str, Archive] | None = None) -> None:
    """Make all machines anew, with the cluster's images on them or without; ``cluster`` are another checkout's."""
    machines.clean(replace(lab, preload=preload), say=lambda _: None, cluster=cluster)


@dataclass(frozen=True, kw_only=True)
class Limit:
    """limit.py on the first three machines."""

    lab: Lab
    folder: Path

    def up(self) -> float:
        """Bring its cluster up; gives its own figure, once the common judge agrees that it is done."""
        said = self._run("up").out
        if not is_done(self.folder / "admin.conf", NODES):
            raise Failed("limit.py says that its cluster is done, and it is not")
        return float(next(line.split()[1] for line in said.splitlines() if line.startswith("limit ")))

    def down(self) -> float:
        """Take its cluster down; gives the seconds from start to exit."""
        return self._run("down").took_s

    def _run(self, command: str) -> Timed:
        found = images.ensure(images.CLUSTER)
        version = found["kubernetes"].reference.rpartition(":")[2]
        names = {name: f"{self.lab.registry}/{found[image].reference}" for name, image in IMAGES.items()}
        env = {
            "DOCKER_HOST": self.lab.engine,
            "LIMIT_IMAGES": json.dumps(names),
            "LIMIT_OUT": str(self.folder),
            "KUBECTL": str(kubectl()),
        }
        targets = [f"{machine.name}={machine.address}" for machine in self.lab.machines[:NODES]]
        return run(BIN / "python", LIMIT, version, command, *targets, env=env)


@dataclass(frozen=True, slots=True, kw_only=True)
class Up:
    """One ``rkx up``: seconds until the common judge agrees, the process, and its events."""

    done_s: float
    process: Timed
    events: Sequence[dict[str, Any]]


def path_of_middle(ups: Sequence[Up]) -> list[Stretch]:
    """Return the critical path of the ``up`` in the middle; empty if there was none."""
    if not ups:
        return []
    up = sorted(ups, key=lambda each: each.done_s)[len(ups) // 2]
    return critical_path(up.events, up.process.started_at, up.process.took_s)


@dataclass(kw_only=True)
class Rkx:
    """The rkx of an environment, with a cluster.yml of its own, over SSH."""

    lab: Lab
    folder: Path
    bin: Path = BIN
    changes: dict[str, Any] = field(default_factory=dict)

    @property
    def file(self) -> Path:
        """cluster.yml."""
        return self.folder / "cluster.yml"

    def write(self, nodes: int = NODES) -> None:
        """Write cluster.yml for the first machines of the lab, as the lab's code beside this rkx has it."""
        shown = run(self.bin / "python", "-m", "rkx_lab", "cluster-yml", "--name", self.lab.name).out
        values: dict[str, Any] = yaml.safe_load(shown) | self.changes
        values["nodes"] = values["nodes"][:nodes]
        self.folder.mkdir(parents=True, exist_ok=True)
        self.file.write_text(yaml.safe_dump(values))

    def up(self, nodes: int = NODES) -> Up:
        """Bring the cluster up, or a worker more; its end is its own exit, or later if the judge says so."""
        self.write(nodes)
        started = time.monotonic()
        process = self.command("up", "--json")
        ended = time.monotonic() - started
        config = self.folder / "kube_config_cluster.yml"
        done_s = ended if is_done(config, nodes) else done_after_s(started, config, nodes)
        return Up(done_s=done_s, process=process, events=[json.loads(line) for line in process.out.splitlines()])

    def command(self, *words: str) -> Timed:
        """Run one of rkx's commands on the cluster.yml."""
        return run(self.bin / "rkx", words[0], "--file", self.file, *words[1:])

    def counted_up(self) -> dict[str, dict[str, int]]:
        """Run ``up`` once more and count, for each node, requests to its Engine and logins in its sshd's log."""
        before = self._logins()
        run(BIN / "python", HERE / "counted.py", self.counts, "up", "--file", self.file, "--json")
        requests = json.loads(self.counts.read_text())["requests"]
        logins = {name: number - before[name] for name, number in self._logins().items()}
        return {name: {"requests": requests[name], "logins": logins[name]} for name in requests}

    @property
    def counts(self) -> Path:
        """Where ``counted_up`` leaves what it counted, and which libraries the run imported."""
        return self.folder / "counted.json"

    def _logins(self) -> dict[str, int]:
        script = "grep -c 'Accepted ' /var/log/sshd.log || true"
        return {
            machine.name: int(inside.run(self.lab, machine.name, "sh", "-c", script)) for machine in self.lab.machines
        }
