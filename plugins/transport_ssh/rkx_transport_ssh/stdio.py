"""The second way to the Docker socket, for a node that forbids streams to sockets: a command on an SSH session.

The user's login shell may be any, and may print before the command does: so ``sh`` runs a script without quotes of
its own, and the stream begins after a mark.
"""

from __future__ import annotations

import contextlib
import shlex
import threading
import time

import paramiko

from rkx_transport_ssh.session import WORDS, ChannelRefused, Session
from rkx_transport_ssh.streams import SshStream

MARK = b"rkx-stream-begins\n"
MISSING, NO_SOCKET, FORBIDDEN, NO_CLIENT = 41, 42, 43, 44
SCRIPT = (
    "S={socket}; test -e $S || exit 41; test -S $S || exit 42; test -r $S && test -w $S || exit 43; "
    "command -v docker >/dev/null || exit 44; echo rkx-stream-begins; exec docker -H unix://$S system dial-stdio"
)
PING = b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n"
NOISE_BYTES = 1 << 16
STATUS_S = 5.0
PAUSE_S = 0.05
"""sshd counts a session until its command has ended, which is a while after we closed it: how soon to try again."""
LEAST_S = 1.0
"""For a command to begin, however long the wait for its place was."""
STREAMS = 8
"""sshd allows ten sessions on a connection (MaxSessions in sshd_config)."""


class Failed(Exception):
    """The command ended: its status, which the script chooses, and what it said."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status
        self.words = words


class Slots:
    """Limits how many commands run at once; shrinks where sshd allows fewer.

    ``worked`` tells that sshd let one run: where it refuses the next, alone, the former has not ended yet.
    """

    def __init__(self, limit: int = STREAMS) -> None:
        self._changed = threading.Condition()
        self._limit = limit
        self._taken = 0
        self.worked = False

    def take(self, timeout_s: float) -> bool:
        """Wait for a free place; False if none gets free."""
        with self._changed:
            free = self._changed.wait_for(lambda: self._taken < self._limit, timeout_s)
            self._taken += free
            return free

    def give_back(self) -> None:
        """Free a place."""
        with self._changed:
            self._taken -= 1
            self._changed.notify()

    def shrink(self) -> bool:
        """Take fewer from now on, as one more was just refused; True if it was the only one."""
        with self._changed:
            self._limit = max(self._taken - 1, 1)
            return self._taken == 1


def open_stdio(session: Session, socket_path: str, slots: Slots, *, timeout_s: float) -> SshStream:
    """Open a stream to the Docker socket by ``docker system dial-stdio``.

    Raises Failed when the command cannot reach it, ChannelRefused when it may not be run, TimeoutError without place.
    """
    until = time.monotonic() + timeout_s
    while slots.take(until - time.monotonic()):
        try:
            return _started(session, socket_path, slots, until)
        except ChannelRefused:
            alone = slots.shrink()
            slots.give_back()
            if alone and (not slots.worked or time.monotonic() > until):
                raise
            time.sleep(PAUSE_S)
        except BaseException:
            slots.give_back()
            raise
    raise TimeoutError(f"all streams of this node stayed taken for {timeout_s:g} s")


def works(session: Session, socket_path: str, slots: Slots, *, timeout_s: float) -> None:
    """Ask the Engine for a sign of life through the command; raises Failed with what the command said."""
    until = time.monotonic() + timeout_s
    stream = open_stdio(session, socket_path, slots, timeout_s=timeout_s)
    try:
        stream.channel.settimeout(_left(until))
        with contextlib.suppress(OSError):  # the command may have ended; then it said why
            stream.channel.send(PING)
        stream.channel.settimeout(_left(until))
        if not stream.receive():
            raise _failure(stream.channel, until)
    finally:
        stream.close()


def _started(session: Session, socket_path: str, slots: Slots, until: float) -> SshStream:
    command = shlex.join(["sh", "-c", SCRIPT.format(socket=socket_path)])
    until = max(until, time.monotonic() + LEAST_S)
    channel = session.open_command(command, timeout_s=until - time.monotonic())
    slots.worked = True
    try:
        rest = _after_mark(channel, until)
        channel.settimeout(None)
    except BaseException:
        channel.close()
        raise
    return SshStream(channel, first=rest, at_end=slots.give_back)


def _after_mark(channel: paramiko.Channel, until: float) -> bytes:
    seen = b""
    while MARK not in seen:
        channel.settimeout(_left(until))
        piece = channel.recv(NOISE_BYTES)
        if not piece:
            raise _failure(channel, until)
        seen += piece
        if seen.find(MARK, 0, NOISE_BYTES + len(MARK)) < 0 and len(seen) > NOISE_BYTES + len(MARK):
            raise Failed(-1, f"the login shell prints more than {NOISE_BYTES >> 10} KiB")
    return seen.partition(MARK)[2]


def _failure(channel: paramiko.Channel, until: float) -> Failed:
    words = b""
    while len(words) < NOISE_BYTES:
        channel.settimeout(_left(until))
        if not (piece := channel.recv_stderr(NOISE_BYTES)):
            break
        words += piece
    channel.status_event.wait(min(STATUS_S, _left(until)))
    return Failed(channel.exit_status, words.decode(errors="replace").strip()[:WORDS])


def _left(until: float) -> float:
    """Return the seconds until then; without any, what has come already is taken, and nothing is waited for."""
    return max(until - time.monotonic(), 0.0)
