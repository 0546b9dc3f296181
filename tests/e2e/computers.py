"""Other computers of operators: a network namespace each, beside the lab's machines, with an identity of its own."""

from __future__ import annotations

import os
import secrets
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path

from harness import RKX, run

from rkx_lab import networks
from rkx_lab.state import Lab

ROOT = () if os.geteuid() == 0 else ("sudo",)
FIRST_ADDRESS = 240
"""Machines count their addresses from below."""
IDENTITY = {"machine-id": "/etc/machine-id", "boot-id": "/proc/sys/kernel/random/boot_id"}
BECOME = 'set -e; while [ "$1" != -- ]; do mount --bind "$1" "$2"; shift 2; done; shift; exec "$@"'


@dataclass(frozen=True, kw_only=True)
class Computer:
    """One operator's computer, and the folder that only he has."""

    namespace: str
    folder: Path

    def start(self, *command: str) -> subprocess.Popen[str]:
        """Start a program there; its outputs are piped."""
        binds = [word for name, path in IDENTITY.items() for word in (str(self.folder / name), path)]
        inside = ("ip", "netns", "exec", self.namespace)  # which has its own mounts, too
        line = [*ROOT, *inside, "sh", "-c", BECOME, "sh", *binds, "--", *command]
        return subprocess.Popen(
            line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def rkx(self, command: str, *options: str) -> subprocess.Popen[str]:
        """Start one of rkx's commands on the cluster.yml in the folder."""
        return self.start(str(RKX), command, "--file", str(self.folder / "cluster.yml"), *options)


@contextmanager
def computer(lab: Lab, folder: Path, number: int) -> Iterator[Computer]:
    """Put one more computer on a lab's network for a while."""
    name = f"rkx-{secrets.token_hex(4)}"
    bridge = f"br-{str(lab.client().networks.get(networks.network_name(lab.name)).id)[:12]}"
    subnet = ip_network(lab.subnet)
    address = f"{subnet[FIRST_ADDRESS + number]}/{subnet.prefixlen}"
    folder.mkdir()
    for what, value in {"machine-id": uuid.uuid4().hex, "boot-id": str(uuid.uuid4())}.items():
        (folder / what).write_text(f"{value}\n")
    _ip("netns", "add", name)
    try:
        _ip("link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name)
        _ip("link", "set", name, "master", bridge, "up")
        _ip("-n", name, "link", "set", "lo", "up")
        _ip("-n", name, "link", "set", "eth0", "up")
        _ip("-n", name, "address", "add", address, "dev", "eth0")
        yield Computer(namespace=name, folder=folder)
    finally:
        _ip("netns", "del", name)  # and its end of the wire with it, so the other one, too


def _ip(*command: str) -> None:
    run(*ROOT, "ip", *command).check()
