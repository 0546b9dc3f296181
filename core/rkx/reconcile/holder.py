"""Who holds a lock, as labels on it say, and whether that process is known to have ended."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec.structs import asdict

from rkx.errors import Locked
from rkx.reconcile.answers import SHORT

ENDED: set[str] = set()
"""Names of this process's own runs that are over: a lock of theirs that was not released has no holder."""
_MOST_DIGITS = 15


def boot_id() -> str:
    """Return what changes with each boot of this computer; empty where the kernel does not say."""
    return _read("/proc/sys/kernel/random/boot_id")


def machine_id() -> str:
    """Return what should tell this computer from others; images of machines may share it."""
    return _read("/etc/machine-id")


def _read(path: str) -> str:
    with suppress(OSError):
        return Path(path).read_text().strip()
    return ""


def pid_namespace() -> str:
    """Return what tells apart containers of one computer that do not see each other's processes."""
    with suppress(OSError):
        return os.readlink("/proc/self/ns/pid")
    return ""


def start_of(pid: int) -> str:
    """Tell when a process of this computer began, in ticks since the boot; empty once it has ended (proc(5), stat).

    One that has ended and waits for its parent runs no more.
    """
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        return "" if fields[0] in (b"Z", b"X") else fields[19].decode()
    return ""


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """Who holds the lock: a run, its ``number``, and its process with its ``start``.

    What a label does not tell is empty or 0.
    """

    machine: str
    boot: str
    pidns: str
    pid: int
    start: str
    user: str
    run: str
    number: int

    @classmethod
    def here(cls, run: str, number: int) -> Holder:
        """Describe a run of this process."""
        return cls(
            machine=machine_id(),
            boot=boot_id(),
            pidns=pid_namespace(),
            pid=os.getpid(),
            start=start_of(os.getpid()),
            user=os.environ.get("USER", "an unknown user"),
            run=run,
            number=number,
        )

    @property
    def labels(self) -> dict[str, str]:
        """Return the labels that tell of it."""
        return {f"rkx.{name}": str(value) for name, value in asdict(self).items()}

    @classmethod
    def of_labels(cls, labels: Mapping[str, str]) -> Holder:
        """Read labels, whoever wrote them."""
        names = ("machine", "boot", "pidns", "start", "user", "run")
        said = {name: labels.get(f"rkx.{name}", "")[:SHORT] for name in names}
        return cls(**said, pid=_count(labels.get("rkx.pid", "")), number=_count(labels.get("rkx.number", "")))

    @property
    def is_here(self) -> bool:
        """Return whether it ran where this process can see it: a boot id proves the computer, a machine id does not."""
        ours = (machine_id(), boot_id(), pid_namespace())
        return all(ours) and ours == (self.machine, self.boot, self.pidns)

    def is_dead(self) -> bool:
        """Return whether the holder is known to have ended; where that cannot be known, it has not."""
        if self.run in ENDED and self.pid == os.getpid():
            return True
        return self.is_here and bool(self.pid and self.start) and start_of(self.pid) != self.start

    @property
    def place(self) -> str:
        """Say where it runs, or ran."""
        if self.is_here:
            return "this computer"
        if self.machine and self.machine == machine_id():
            return "this computer before it was restarted, or on one with the same machine id"
        return "another computer"


def locked_by(holder: Holder, node: str, way: str) -> Locked:
    """Say who holds the lock on a node, and by which way it is got if he is dead."""
    process = f"process {holder.pid or 'unknown'} on {holder.place}"
    return Locked(
        f"{node}: run {holder.run} of {holder.user} holds the lock ({process})",
        hint=f"wait for it; if it is dead, as after a restart of its computer: {way}",
    )


def _count(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else 0
