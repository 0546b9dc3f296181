"""A cluster of one machine, the lab's last, which the other tests' cluster leaves alone."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import Cluster, Done, cluster_in

from rkx_lab import machines
from rkx_lab.state import Lab


@pytest.fixture(scope="module")
def spare(lab: Lab) -> Iterator[str]:
    """Return the name of a machine made anew, and make it anew again at the end."""
    name = lab.machines[-1].name
    machines.clean(lab, [name])
    yield name
    machines.clean(lab, [name])


@pytest.fixture
def lone(lab: Lab, spare: str, tmp_path: Path) -> Cluster:
    """A cluster.yml, not brought up, that gives one machine every role."""
    return of_one(lab, spare, tmp_path)


def of_one(lab: Lab, name: str, folder: Path) -> Cluster:
    """Write a cluster.yml that gives one machine every role."""
    cluster = cluster_in(lab, folder, [lab.machine(name)])
    cluster.values["nodes"][0]["role"] = ["controlplane", "etcd", "worker"]
    cluster.values |= {"monitoring": {"provider": "none"}, "ingress": {"provider": "none"}}  # without, a warning
    cluster.write()
    return cluster


def rewrite(cluster: Cluster, *, node: dict[str, object] | None = None, **top: object) -> None:
    """Change keys of the node, and of the file's top."""
    cluster.values["nodes"][0] |= node or {}
    cluster.values |= top
    cluster.write()


def one_message(done: Done, code: int, *words: str, hints: int = 1) -> str:
    """Check the exit code, and that one message with its hint says all that is wanted; gives the message."""
    done.check(code)
    assert done.err.count("hint:") == hints, done.err
    assert done.err.count("error:") <= 1, done.err
    for word in words:
        assert word in done.err, f"{word!r} is not in: {done.err}"
    return done.err


def make_key(path: Path, passphrase: str = "") -> Path:
    """Make an SSH key that no machine knows."""
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", "a stranger's", "-f", str(path)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return path
