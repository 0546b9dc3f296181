"""One run at a time, from whatever computer: a container that is never started on each etcd node."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rkx.engine.link import Link, get
from rkx.engine.node import LOCK, NodeProgram
from rkx.errors import Interrupted, Locked, PreflightFailed, RkxError, TransportError

if TYPE_CHECKING:
    from docker import APIClient

CHECK_TIMEOUT_S = 10.0
AGAIN_S = 5.0
"""A node that did not say is asked again after this time."""


def boot_id() -> str:
    """Give what changes with each boot of this computer; empty where the kernel does not say."""
    with suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return ""


def machine_id() -> str:
    """Give what tells this computer from others."""
    with suppress(OSError):
        return Path("/etc/machine-id").read_text().strip()
    return ""


def pid_namespace() -> str:
    """Give what tells apart containers of one computer that do not see each other's processes."""
    with suppress(OSError):
        return os.readlink("/proc/self/ns/pid")
    return ""


def runs(pid: int) -> bool:
    """Tell if a process of this computer runs; one that has ended and waits for its parent does not (proc(5))."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who holds the lock, as labels on it say; ``number`` rises with each that is broken or taken over."""

    machine: str
    boot: str
    pidns: str
    pid: int
    user: str
    run: str
    number: int

    def is_dead(self) -> bool:
        """Tell if the holder ran on this computer and runs no more; where that cannot be known, it is not dead."""
        if not self.machine or self.machine != machine_id():
            return False
        if self.boot != boot_id():
            return bool(self.boot and boot_id())
        return bool(self.pidns) and self.pidns == pid_namespace() and not runs(self.pid)


class Lock:
    """The lock on the nodes: two runs from two computers."""

    def __init__(
        self, links: Sequence[Link], programs: Mapping[str, NodeProgram], run: str, break_run: str = ""
    ) -> None:
        self._links, self._programs, self._run, self._break = list(links), programs, run, break_run
        self._held: dict[str, tuple[Link, str]] = {}
        self._silent: dict[str, float] = {}

    def take(self) -> None:
        """Make the lock's container on every node; Locked if another run's stands there and is not dead."""
        try:
            for link in self._links:
                self._take(link)
        except BaseException:
            self.release()
            raise

    def _take(self, link: Link) -> None:
        from docker.errors import APIError

        program = self._programs[link.name]
        with link.docker() as client:
            program.load_image(client)
            number = 1
            for _ in range(2):
                try:
                    made = client.create_container_from_config(self._config(program, number), LOCK)
                except APIError as error:
                    if error.status_code != 409:
                        raise
                    number = self._displace(link, client)
                else:
                    self._held[link.name] = (link, made["Id"])
                    return
        raise Locked(f"{link.name}: another run took the lock in the same moment", hint="run again")

    def _displace(self, link: Link, client: APIClient) -> int:
        """Remove the lock of a dead or broken holder, by its id: the name may be a third run's by now."""
        from docker.errors import NotFound

        with suppress(NotFound):  # given back in this moment
            found = client.inspect_container(LOCK)
            holder = self._holder(found)
            self._judge(link, holder)
            client.remove_container(found["Id"], force=True)
            return holder.number + 1
        return 1

    def _config(self, program: NodeProgram, number: int) -> dict[str, Any]:
        from rkx.engine.node import image_tag

        labels = {
            "rkx.cluster": program.cluster_id,
            "rkx.run": self._run,
            "rkx.machine": machine_id(),
            "rkx.boot": boot_id(),
            "rkx.pidns": pid_namespace(),
            "rkx.pid": str(os.getpid()),
            "rkx.user": os.environ.get("USER", "an unknown user"),
            "rkx.number": str(number),
        }
        return {"Image": image_tag(program.architecture), "Labels": labels}

    @staticmethod
    def _holder(found: Mapping[str, Any]) -> Holder:
        labels = found["Config"]["Labels"] or {}
        said = {name: labels.get(f"rkx.{name}", "") for name in ("machine", "boot", "pidns", "user", "run")}
        pid, number = (int(labels.get(f"rkx.{name}", "0")) for name in ("pid", "number"))
        return Holder(pid=pid, number=number, **said)

    def _judge(self, link: Link, holder: Holder) -> None:
        if not holder.run:
            raise PreflightFailed(
                f"{link.name}: a container {LOCK!r} that rkx did not make stands there", hint="remove it"
            )
        if holder.run in (self._run, self._break) or holder.is_dead():
            return
        place = "this computer" if holder.machine and holder.machine == machine_id() else "another computer"
        raise Locked(
            f"{link.name}: run {holder.run} of {holder.user} holds the lock (process {holder.pid} on {place})",
            hint=f"wait for it; if it is dead: --break-lock {holder.run}",
        )

    def check(self) -> None:
        """Stop if somebody broke the lock in the meantime; called before each change.

        Who breaks a lock takes every node that he reaches: a silent one says nothing, as long as another confirms.
        """
        now = time.monotonic()
        asked = [name for name in self._held if now - self._silent.get(name, -AGAIN_S) >= AGAIN_S] or [*self._held]
        silent = [error for name in asked if (error := self._looked_at(*self._held[name])) is not None]
        if silent and len(silent) == len(asked):
            raise silent[0]

    def _looked_at(self, link: Link, mine: str) -> TransportError | None:
        """Give the error of a node that does not say."""
        try:
            with link.http(timeout_s=CHECK_TIMEOUT_S) as engine:
                found = get(engine, f"/containers/{LOCK}/json")
        except TransportError as error:
            self._silent[link.name] = time.monotonic()
            return error
        if found is None:
            raise Interrupted(f"{link.name}: this run's lock is gone", hint="somebody removed it; run again")
        if found["Id"] != mine:
            raise Interrupted(
                f"{link.name}: another run broke this run's lock", hint="look at that run, then run again"
            )
        return None

    def release(self) -> None:
        """Remove the lock's containers; one left behind on a node that is lost has a dead holder for the next run."""
        for link, mine in self._held.values():
            with suppress(RkxError), link.docker() as client:
                client.remove_container(mine, force=True)  # by its id: the name may be a successor's by now
        self._held.clear()
