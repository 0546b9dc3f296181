"""Drive rkx and kubectl against a lab, as an operator would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import yaml

from rkx_lab import archives, cluster_yml, images, inside, places
from rkx_lab.state import Lab, Machine

RKX = Path(sys.executable).with_name("rkx")
GONE = "Error: No such object"
"""What `docker inspect` says of a container that went after it was listed; any other complaint fails the test."""


@dataclass(frozen=True, kw_only=True)
class Done:
    """What a command left behind."""

    command: tuple[str, ...]
    code: int
    out: str
    err: str
    took_s: float

    def check(self, code: int = 0) -> Done:
        """Fail with both outputs unless the exit code is as wanted."""
        assert self.code == code, f"{' '.join(self.command)}: exit {self.code}, not {code}\n{self.out}\n{self.err}"
        return self

    def json(self) -> Any:  # noqa: ANN401
        """Read the output as one JSON value."""
        return json.loads(self.out)


def run(*command: str, env: Mapping[str, str] | None = None, timeout_s: float = 120, stdin: str | None = None) -> Done:
    """Run a command to its end."""
    started = time.monotonic()
    done = subprocess.run(
        command,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
        **({"input": stdin} if stdin is not None else {"stdin": subprocess.DEVNULL}),
    )
    return Done(
        command=command, code=done.returncode, out=done.stdout, err=done.stderr, took_s=time.monotonic() - started
    )


@dataclass(kw_only=True)
class Cluster:
    """One cluster.yml in a folder of its own, and the lab's machines that it names."""

    lab: Lab
    folder: Path
    machines: Sequence[Machine]
    values: dict[str, Any] = field(default_factory=dict)
    up_took_s: float = 0.0

    @property
    def file(self) -> Path:
        """cluster.yml."""
        return self.folder / "cluster.yml"

    def write(self) -> None:
        """Write ``values`` to cluster.yml."""
        self.file.write_text(yaml.safe_dump(self.values, sort_keys=False))

    @contextmanager
    def edited(self, change: Callable[[dict[str, Any]], None]) -> Any:  # noqa: ANN401
        """Change cluster.yml for a while; the former text comes back, and whoever applied it applies again."""
        before = self.file.read_text()
        values = yaml.safe_load(before)
        change(values)
        self.file.write_text(yaml.safe_dump(values, sort_keys=False))
        try:
            yield
        finally:
            self.file.write_text(before)

    def rkx(self, command: str, *options: str, env: Mapping[str, str] | None = None, timeout_s: float = 300) -> Done:
        """Run one of rkx's commands on this cluster.yml."""
        return run(str(RKX), command, "--file", str(self.file), *options, env=env, timeout_s=timeout_s)

    def kubectl(self, *arguments: str, timeout_s: float = 60, stdin: str | None = None) -> Done:
        """Run kubectl with the operator's kubeconfig."""
        config = str(self.folder / "kube_config_cluster.yml")
        return run(str(kubectl()), "kubectl", "--kubeconfig", config, *arguments, timeout_s=timeout_s, stdin=stdin)

    def objects(self, *what: str) -> list[dict[str, Any]]:
        """List objects as kubectl get shows them."""
        found: list[dict[str, Any]] = self.kubectl("get", *what, "-o", "json").check().json()["items"]
        return found

    def on(self, machine: str, *command: str) -> str:
        """Run a command in a machine."""
        return inside.run(self.lab, machine, *command)

    def containers(self, machine: str) -> dict[str, tuple[str, str]]:
        """List a machine's containers: name -> (id, time of start); kubelets clear some away in between."""
        form = "{{.Name}} {{.Id}} {{.State.StartedAt}}"
        text = self.on(machine, "sh", "-c", f"docker ps -aq | xargs -r docker inspect --format '{form}' || true")
        rows = [line.lstrip("/").split(" ") for line in text.splitlines() if line and not line.startswith(GONE)]
        return {name: (identity, started) for name, identity, started in rows}

    def every_container(self) -> dict[str, dict[str, tuple[str, str]]]:
        """List the containers of all machines."""
        return {machine.name: self.containers(machine.name) for machine in self.machines}

    def plan(self) -> dict[str, Any]:
        """Return rkx's plan as JSON."""
        found: dict[str, Any] = self.rkx("plan", "--json").check().json()
        return found

    def has_nothing_to_do(self) -> None:
        """See that no change is planned; then wait for workloads that a restart has shaken, which a plan tells too."""
        assert [action for action in self.plan()["actions"] if action["verb"] != "wait"] == []
        until(lambda: self.plan()["actions"] == [], "every workload is well again")


def cluster_in(lab: Lab, folder: Path, machines: Sequence[Machine]) -> Cluster:
    """Write a cluster.yml for some of a lab's machines: the first is control plane and etcd, the others workers."""
    values = cluster_yml.values(lab)
    names = {machine.name for machine in machines}
    values["nodes"] = [node for node in values["nodes"] if node["hostname_override"] in names]
    cluster = Cluster(lab=lab, folder=folder, machines=machines, values=values)
    cluster.write()
    return cluster


def until(condition: Callable[[], bool], what: str, limit_s: float = 60) -> float:
    """Wait for a condition, asked every 200 ms; gives the seconds it took."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < limit_s, f"{what}: not within {limit_s:g} s"
        time.sleep(0.2)
    return time.monotonic() - started


def kubectl() -> Path:
    """Return the multi-call program that holds kubectl, taken out of the lab's own image once."""
    archive = images.ensure(["kubernetes"])["kubernetes"]
    path = places.cache() / f"kubernetes-{archive.id.removeprefix('sha256:')[:12]}"
    if not path.exists():
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        beside.write_bytes(_program(archive))
        beside.chmod(0o755)
        beside.rename(path)
    return path


def _program(archive: archives.Archive) -> bytes:
    with tarfile.open(archive.path) as whole:
        for blob in reversed(archive.layers):
            opened: IO[bytes] | None = whole.extractfile(blob.member)
            with tarfile.open(fileobj=opened) as layer:
                for member in layer:
                    if member.name.lstrip("./") == "usr/local/bin/kubernetes" and (file := layer.extractfile(member)):
                        return file.read()
    raise FileNotFoundError("usr/local/bin/kubernetes")
