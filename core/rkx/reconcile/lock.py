"""One run at a time, from whatever computer: a container that is never started on each etcd node."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from rkx.errors import Interrupted, Locked, PreflightFailed, RkxError, TransportError
from rkx.reconcile.batch import Hold
from rkx.reconcile.create_body import create_body
from rkx.reconcile.engine import Engine, EngineRefused
from rkx.reconcile.engine_api import get
from rkx.reconcile.holder import ENDED, Holder, locked_by
from rkx.reconcile.link import Link
from rkx.reconcile.node import LOCK, NodeProgram
from rkx.reconcile.node_image import image_tag

CHECK_TIMEOUT_S = 10.0
TAKEN = 409
"""The status of a container's name that another container has."""
FRESH_S = 5.0
"""A run that looked at its lock within this time need not look again before it asks an Engine for a change."""
LOST = "lost"
"""What ``remove --break-lock`` says in place of a run, where nodes that keep the lock are lost for good."""


def clocks() -> tuple[float, float]:
    """Read a clock that goes on while this computer sleeps, and the wall's, which a pause of the machine moves."""
    steady = time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
    return steady, time.time()


class Lock:
    """The lock on the nodes: two runs from two computers.

    ``groups`` name all nodes that keep it, reached or not: it is held where a majority of each group holds it.
    ``number`` is the run's own, higher than that of each run before; it is known once the lock is taken.
    """

    def __init__(
        self,
        links: Sequence[Link],
        groups: Sequence[Sequence[str]],
        programs: Mapping[str, NodeProgram],
        run: str,
        break_run: str = "",
    ) -> None:
        self._links, self._groups, self._programs = list(links), list(groups), programs
        self._run, self._break = run, break_run
        self._held: dict[str, tuple[Link, str, int]] = {}
        self._silent: dict[str, float] = {}
        self._looked = (0.0, 0.0)
        self.number = 0

    @property
    def is_held(self) -> bool:
        """Return whether a node may still hold it."""
        return bool(self._held)

    @property
    def hold(self) -> Hold:
        """Return what a node is shown of the lock."""
        return Hold(number=self.number, check=self.check)

    def take(self, number: int = 1) -> None:
        """Make the lock's container on every node; Locked if another run's is there, or too few nodes answer.

        The run's number is ``number``, or one more than that of a run whose lock it removed.
        """
        self.number = number
        self._judge_count([link.name for link in self._links])
        try:
            for link in self._links:
                self._take(link)
            for link in self._links:
                self._renumber(link)
        except BaseException:
            self.release()
            raise
        self._looked = clocks()

    def _lacking(self, holding: Collection[str]) -> Sequence[str]:
        """Return a group of which no majority holds it; empty if there is none."""
        return next((g for g in self._groups if len({*g} & {*holding}) <= len(g) // 2), ())

    def _judge_count(self, holding: Collection[str]) -> None:
        if group := self._lacking(holding):
            silent = ", ".join(name for name in group if name not in holding)
            raise Locked(
                f"{len(group) // 2 + 1} of the {len(group)} nodes that keep the lock must hold it, and {silent} cannot"
                " be reached: another run may hold it there",
                hint="bring them back, then run rkx again; if they are lost for good, and no other run is at work: "
                f"rkx remove --break-lock {LOST}",
            )

    def _take(self, link: Link) -> None:
        for _ in range(2):
            with link.docker() as engine:
                self._programs[link.name].load_image(engine)
                if self._made(link, engine):
                    return
                self.number = max(self.number, self._displace(link, engine) + 1)
        raise Locked(f"{link.name}: another run took the lock in the same moment", hint="run rkx again")

    def _made(self, link: Link, engine: Engine) -> bool:
        try:
            made = engine.create(self._body(self._programs[link.name]), LOCK)
        except EngineRefused as error:
            if error.status != TAKEN:
                raise
            return False
        self._held[link.name] = (link, made, self.number)
        return True

    def _renumber(self, link: Link) -> None:
        """Recreate a lock that was made before a higher number was seen: a successor must find the highest on each."""
        _link, mine, number = self._held[link.name]
        if number == self.number:
            return
        with link.docker() as engine:
            engine.remove(mine)
            if not self._made(link, engine):
                raise Locked(f"{link.name}: another run took the lock in the same moment", hint="run rkx again")

    def _displace(self, link: Link, engine: Engine) -> int:
        """Remove the lock of a dead or broken holder, by its id: the name may be a third run's by now."""
        found = engine.find(LOCK)
        if found is None:
            return 0  # given back in this moment
        holder = Holder.of_labels(found.table("Config").labels("Labels"))
        self._judge(link, holder)
        engine.remove(found.text("Id"), missing_ok=True)
        return holder.number

    def _body(self, program: NodeProgram) -> dict[str, Any]:
        labels = {"rkx.cluster": program.cluster_id, **Holder.here(self._run, self.number).labels}
        return create_body(image_tag(program.architecture), ("/rkx-node",), labels)

    def _judge(self, link: Link, holder: Holder) -> None:
        if not holder.run:
            raise PreflightFailed(
                f"{link.name}: a container {LOCK!r} that rkx did not make is on the machine", hint="remove it"
            )
        if holder.run not in (self._run, self._break) and not holder.is_dead():
            raise locked_by(holder, link.name, f"--break-lock {holder.run}")

    def check(self) -> None:
        """Stop if this run's lock is not its own any more; called before each change.

        A run that breaks a lock holds a majority before it changes anything. So a majority that confirms is enough, and
        is wanted: Locked if too few nodes say anything, Interrupted if one says that the lock is another's.
        """
        since, confirmed = clocks(), list[str]()
        for name in sorted(self._held, key=lambda name: self._silent.get(name, 0.0)):
            if not self._lacking(confirmed):
                break
            if self._confirms(*self._held[name][:2]):
                confirmed.append(name)
        self._judge_count(confirmed)
        self._looked = since

    def confirm(self) -> None:
        """Look again if the last look is old: this process, or its computer, may have been suspended meanwhile."""
        age_s = max(abs(now - then) for now, then in zip(clocks(), self._looked, strict=True))
        if age_s > FRESH_S:
            self.check()

    def _confirms(self, link: Link, mine: str) -> bool:
        try:
            with link.http(timeout_s=CHECK_TIMEOUT_S) as engine:
                found = get(engine, f"/containers/{LOCK}/json")
        except TransportError:
            self._silent[link.name] = time.monotonic()  # asked last from now on, if at all
            return False
        if found is None:
            raise Interrupted(f"{link.name}: this run's lock is gone", hint="it was removed; run rkx again")
        if found.text("Id") != mine:
            raise Interrupted(
                f"{link.name}: another run broke this run's lock", hint="look at that run, then run rkx again"
            )
        return True

    def release(self) -> None:
        """Remove the lock's containers; the holder of one that is left behind is known to have ended."""
        for name, (link, mine, _number) in [*self._held.items()]:
            with suppress(RkxError):
                self._remove(link, mine)
                del self._held[name]
        ENDED.add(self._run)

    @staticmethod
    def _remove(link: Link, mine: str) -> None:
        with link.docker() as engine:
            engine.remove(mine, missing_ok=True)  # by its id: the name may be a successor's by now


def refuse_held(links: Iterable[Link]) -> None:
    """Raise Locked where a run that may live holds the lock of a cluster whose state is not known here."""
    for link in links:
        with link.http() as engine:
            found = get(engine, f"/containers/{LOCK}/json")
        holder = Holder.of_labels(found.table("Config").labels("Labels") if found else {})
        if holder.run and not holder.is_dead():
            raise locked_by(holder, link.name, f"remove the container {LOCK} on {link.name}")
