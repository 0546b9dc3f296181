"""`rkx up` is killed at drawn moments and run again: it converges, with one authority, nothing twice, no half file."""

from __future__ import annotations

import base64
import json
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from authority import authorities
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from harness import RKX, Cluster, cluster_in, until

from rkx_lab import inside
from rkx_lab.slow_link import Line, SlowLink
from rkx_lab.state import Lab

pytestmark = [pytest.mark.lab, pytest.mark.demonstration(4), pytest.mark.timeout(600)]
SEED = f"{datetime.now(UTC):%Y-%m-%d}"
SPREAD_S = 1.0  # actions of one batch begin together, so the moment lies up to so long after the beginning
ROUNDS = [0, 1, *(pytest.param(number, marks=pytest.mark.long) for number in range(2, 9))]
CONTROL_PLANE = {"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"}
EVERYWHERE = {"cri-dockerd", "kubelet", "kube-proxy", "rkx-node", "rkx-host"}
SLOW = Line(bytes_per_s=6000)
WITHIN_BYTES = 9000  # less than a worker's batch of files has, more than the requests before it
TEXTS = "find /etc/kubernetes -type f -name '*.[ck][re][ty]' -exec sh -c 'echo $1 $(base64 -w0 $1)' - {} ';'"
LEFTOVERS = "find / \\( -path /proc -o -path /sys -o -path /var/lib/docker \\) -prune -o -name '.rkx-*' -print"


@pytest.fixture
def cluster(clean_lab: Lab, tmp_path: Path) -> Cluster:
    """A cluster.yml for three clean machines, without metrics: waiting for them is a third of the time."""
    cluster = cluster_in(clean_lab, tmp_path, clean_lab.machines[:3])
    cluster.values["monitoring"] = {"provider": "none"}
    cluster.write()
    return cluster


@contextmanager
def running_up(cluster: Cluster) -> Iterator[tuple[subprocess.Popen[str], Iterator[dict[str, Any]]]]:
    """Run `rkx up` and give the process with its events; it is dead at the end."""
    command = [str(RKX), "up", "--file", str(cluster.file), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, (json.loads(line) for line in process.stdout)
        finally:
            process.kill()


def started(events: Iterator[dict[str, Any]], number: int) -> dict[str, Any]:
    """Read events up to the beginning of the so-manieth action that counts."""
    for event in events:
        number -= event["kind"] == "action-started" and " folder " not in event["key"]
        if number == 0:
            return event
    raise AssertionError(f"the run ended {number} actions too early")


def total_of(plan: dict[str, Any]) -> int:
    """Count the actions that a first run is sure to begin: the plan's, and the objects that its survey adds.

    Folders do not count: some of those that are planned come to be when their node is prepared.
    """
    (survey,) = (action["reason"] for action in plan["actions"] if action["verb"] == "refresh")
    objects = re.search(r"up to (\d+) objects", survey)
    assert objects, survey
    return len([action for action in plan["actions"] if action["kind"] != "Folder"]) + int(objects[1])


def kill(process: subprocess.Popen[str]) -> None:
    """Kill a process that must be running still."""
    assert process.poll() is None, "the run had ended"
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


def certificates(cluster: Cluster, machine: str) -> dict[str, bytes]:
    """Read certificates and keys below /etc/kubernetes."""
    rows = (line.split(" ") for line in inside.run(cluster.lab, machine, "sh", "-c", TEXTS).splitlines())
    return {path: base64.b64decode(content) for path, content in rows}


def check_converged(cluster: Cluster, former: dict[str, str]) -> None:
    """Run `up` to a good end and see that nothing of the killed run is left, and nothing is there twice."""
    cluster.rkx("up", "--plain").check()
    found = authorities(cluster)
    assert set(found) == {"kubernetes-ca", "etcd-ca", "front-proxy-ca", "node-client-ca"}
    assert found.items() >= former.items()
    for number, machine in enumerate(cluster.machines):
        wanted = EVERYWHERE | (CONTROL_PLANE if number == 0 else {"api-proxy"})
        own = {name for name in cluster.containers(machine.name) if not name.startswith("k8s_")}
        assert own - {"rkx-lock"} == wanted
        assert inside.run(cluster.lab, machine.name, "sh", "-c", LEFTOVERS) == ""
        check_certificates(certificates(cluster, machine.name), found)
    assert cluster.plan()["actions"] == []
    cluster.kubectl("wait", "node", "--all", "--for=condition=Ready", "--timeout=60s").check()
    assert {node["metadata"]["name"] for node in cluster.objects("nodes")} == {m.name for m in cluster.machines}


def check_certificates(files: dict[str, bytes], found: dict[str, str]) -> None:
    """See that each file is whole, each key fits its certificate, and each authority is the state's."""
    for path, content in files.items():
        name = Path(path).name
        if name.endswith("-ca.crt"):
            own = name.removesuffix(".crt")
            wanted = {found["kubernetes-ca"], found["node-client-ca"]} if own == "clients-ca" else {found[own]}
            held = x509.load_pem_x509_certificates(content)
            assert {each.fingerprint(hashes.SHA256()).hex() for each in held} == wanted, path
        elif name.endswith(".key"):
            key = serialization.load_pem_private_key(content, None)
            pair = files.get(path.removesuffix(".key") + ".crt")
            if pair is not None:
                assert key.public_key() == x509.load_pem_x509_certificate(pair).public_key(), path
    assert any(path.endswith("kubernetes-ca.crt") for path in files)


@pytest.mark.parametrize("round_number", ROUNDS)
def test_killed_at_a_drawn_moment_the_next_run_converges(
    cluster: Cluster, round_number: int, capsys: pytest.CaptureFixture[str]
) -> None:
    draw = random.Random(f"{SEED} {round_number}")
    total = total_of(cluster.plan())
    number, later_s = draw.randint(1, total), draw.uniform(0, SPREAD_S)
    with running_up(cluster) as (process, events):
        event = started(events, number)
        time.sleep(later_s)  # the drawn moment itself
        kill(process)
    with capsys.disabled():
        what = f"{event['verb']} {event['key']}"
        sys.stdout.write(f"\nseed {SEED!r}: killed {later_s:.2f} s after action {number} of {total} began: {what}\n")
    check_converged(cluster, authorities(cluster))


def test_killed_while_a_file_goes_over_a_slow_link_the_next_run_converges(
    cluster: Cluster, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    worker = cluster.machines[1]
    with SlowLink((worker.address, 22), Line()) as link:
        through(cluster, link, tmp_path)
        with running_up(cluster) as (process, events):
            wait_for(events, lambda e: e["kind"] == "plan-ready")
            link.line = SLOW
            wait_for(events, lambda e: e["kind"] == "action-started" and is_file(e, worker.name))
            before = link.passed
            until(lambda: link.passed > before + WITHIN_BYTES, "the files are on their way")
            kill(process)
            assert not [e for e in events if e["kind"] == "action-finished" and is_file(e, worker.name)]
        with capsys.disabled():
            sys.stdout.write(f"\nkilled {link.passed - before} bytes after the files of {worker.name} were begun\n")
        assert certificates(cluster, worker.name) == {}
        link.line = Line()
        check_converged(cluster, authorities(cluster))


def through(cluster: Cluster, link: SlowLink, folder: Path) -> None:
    """Let rkx reach the second machine through a bad line."""
    machine, known = cluster.machines[1], folder / "known_hosts"
    lines = cluster.lab.known_hosts.read_text()
    mapped = [
        f"[{link.address}]:{link.port}{line.removeprefix(machine.address)}"
        for line in lines.splitlines()
        if line.startswith(f"{machine.address} ")
    ]
    known.write_text(lines + "\n".join(mapped) + "\n")
    cluster.values["transport_options"] = {"known_hosts": str(known)}
    cluster.values["nodes"][1] |= {
        "address": link.address,
        "port": link.port,
        "internal_address": machine.address,
    }
    cluster.write()


def is_file(event: dict[str, Any], node: str) -> bool:
    """Return whether an event speaks of a file of a node."""
    return bool(event["node"] == node and " file " in event["key"])


def wait_for(events: Iterator[dict[str, Any]], wanted: Callable[[dict[str, Any]], bool]) -> None:
    """Read events up to one that is wanted."""
    assert any(wanted(event) for event in events), "the run ended without it"
