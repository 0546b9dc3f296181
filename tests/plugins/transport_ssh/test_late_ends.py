"""sshd counts a session until its command has ended: where it allows one alone, the next waits for that."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from rkx_transport_ssh import stdio
from rkx_transport_ssh.session import ChannelRefused


class Sshd:
    """Refuses sessions until its own clock shows ``free_s``; the clock moves where somebody sleeps."""

    def __init__(self, free_s: float) -> None:
        self.now_s, self.free_s = 0.0, free_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds

    def open_command(self, command: str, *, timeout_s: float) -> SimpleNamespace:
        if self.now_s < self.free_s:
            raise ChannelRefused(4, "open failed")
        return SimpleNamespace(recv=lambda _: stdio.MARK, settimeout=lambda _: None, close=lambda: None)


def opened_at(sshd: Sshd, slots: stdio.Slots, monkeypatch: pytest.MonkeyPatch) -> float:
    monkeypatch.setattr(stdio, "time", SimpleNamespace(monotonic=lambda: sshd.now_s, sleep=sshd.sleep))
    stdio.open_stdio(sshd, "/docker.sock", slots, timeout_s=20).close()  # type: ignore[arg-type] # all that is used
    return sshd.now_s


def test_a_session_that_ends_late_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    slots = stdio.Slots()
    opened_at(Sshd(0), slots, monkeypatch)
    assert opened_at(Sshd(15), slots, monkeypatch) == pytest.approx(15, abs=0.1)


def test_one_that_never_ends_is_a_refusal_after_the_callers_time(monkeypatch: pytest.MonkeyPatch) -> None:
    slots, sshd = stdio.Slots(), Sshd(99)
    opened_at(Sshd(0), slots, monkeypatch)
    with pytest.raises(ChannelRefused):
        opened_at(sshd, slots, monkeypatch)
    assert sshd.now_s == pytest.approx(20, abs=0.1)


def test_where_none_ever_ran_a_refusal_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    sshd = Sshd(99)
    with pytest.raises(ChannelRefused):
        opened_at(sshd, stdio.Slots(), monkeypatch)
    assert sshd.now_s == 0
