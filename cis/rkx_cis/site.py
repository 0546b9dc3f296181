"""A cluster on machines of the lab, brought up by rkx with a profile."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from rkx_cis.checks import Profile
from rkx_lab import cluster_yml, inside
from rkx_lab.state import Lab

RKX = Path(sys.executable).with_name("rkx")
KERNEL = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}
"""What profile cis wants of a machine's kernel, below /proc/sys; all machines of a lab share the computer's."""


def write(lab: Lab, file: Path, profile: Profile) -> None:
    """Write a cluster.yml for the first two machines of a lab: a control plane with etcd, and a worker."""
    values = cluster_yml.values(lab)
    values["nodes"] = values["nodes"][:2]
    if profile != "default":
        values["profile"] = profile
    file.write_text(yaml.safe_dump(values, sort_keys=False))


def up(file: Path) -> None:
    """Run `rkx up` to a good end; what it says goes where ours goes."""
    subprocess.run([str(RKX), "up", "--plain", "--file", str(file)], check=True, timeout=600)


@contextmanager
def kernel(lab: Lab) -> Iterator[None]:
    """Return the computer's kernel the settings for a while; LabError where it does not take them."""
    machine = lab.machines[0].name
    former = {name: inside.run(lab, machine, "cat", f"/proc/sys/{name}").strip() for name in KERNEL}
    wrong = [name for name, wanted in KERNEL.items() if former[name] != wanted]
    try:
        for name in wrong:
            _set(lab, name, KERNEL[name])
        yield
    finally:
        for name in wrong:
            _set(lab, name, former[name])


def _set(lab: Lab, name: str, value: str) -> None:
    inside.run(lab, lab.machines[0].name, "sh", "-c", f"echo {value} >/proc/sys/{name}")
