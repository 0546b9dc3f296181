"""An open way to one node: its Docker Engine, and other addresses, as sockets."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Sequence

import paramiko

import rkx
from rkx_transport_ssh import stdio
from rkx_transport_ssh.route import Hop
from rkx_transport_ssh.session import PROHIBITED, ChannelRefused, Session
from rkx_transport_ssh.streams import SshStream

OPEN_S = 10.0
PLACE_S = 60.0
"""How long a stream by command waits for one of the other seven to end."""
FORWARDING = "its sshd_config must say neither AllowStreamLocalForwarding no nor AllowTcpForwarding no"
"""Debian's sshd lets the latter decide about sockets too."""


class SshNode:
    """Streams on one SSH connection; the sessions before the last are those of bastions."""

    def __init__(self, sessions: Sequence[Session], hop: Hop, docker_socket: str) -> None:
        self._sessions = tuple(sessions)
        self._session = sessions[-1]
        self._hop = hop
        self._socket = docker_socket
        self._slots = stdio.Slots()
        self._learning = threading.Lock()
        self._direct_works = False
        self._by_command = False

    def engine(self) -> socket.socket:
        """Open a stream to the Docker socket; by a command on the node where sshd forbids the direct way.

        Raises StreamRefused with the reason that the node gave, TimedOut, or ConnectFailed if the connection is lost.
        """
        if not self._by_command:
            try:
                sock = self._unix(self._socket, OPEN_S)
            except ChannelRefused as refused:
                self._learn(refused)
            else:
                self._direct_works = True
                return sock
        if self._by_command:
            return rkx.transport.bridge(self._stdio())
        return self._again()

    def dial(self, address: str, *, timeout_s: float) -> socket.socket:
        """Connect to ``tcp:HOST:PORT`` or ``unix:/path`` as seen from the node; ValueError for other forms."""
        kind, _, place = address.partition(":")
        try:
            if kind == "unix":
                return self._unix(place, timeout_s)
            if kind == "tcp":
                host, _, port = place.rpartition(":")
                return self._bridged(
                    lambda: self._session.open_tcp(host.strip("[]"), int(port), timeout_s=timeout_s), address
                )
        except ChannelRefused as refused:
            raise self._dial_error(address, kind, refused) from None
        raise ValueError(f"{address!r} is neither tcp:HOST:PORT nor unix:/path")

    def close(self) -> None:
        """End the connection, and those to its bastions."""
        for session in reversed(self._sessions):
            session.close()

    def _again(self) -> socket.socket:
        try:
            return self._unix(self._socket, OPEN_S)
        except ChannelRefused as refused:
            raise self._refused(stdio.NO_CLIENT, refused.words) from None

    def _unix(self, path: str, timeout_s: float) -> socket.socket:
        return self._bridged(lambda: self._session.open_unix(path, timeout_s=timeout_s), path)

    def _bridged(self, opening: Callable[[], paramiko.Channel], what: str) -> socket.socket:
        try:
            return rkx.transport.bridge(SshStream(opening()))
        except (paramiko.SSHException, EOFError, OSError) as error:
            raise self._lost(what, error) from error

    def _lost(self, what: str, error: Exception) -> rkx.errors.TransportError:
        if self._session.is_active():
            reason = str(error) or "sshd did not answer in time"
            return rkx.errors.TimedOut(f"{self._hop} does not open a stream to {what}: {reason}", node=self._hop.node)
        ended = str(self._session.get_exception() or error) or "sshd ended it"
        return rkx.errors.ConnectFailed(f"the SSH connection to {self._hop} is lost: {ended}", node=self._hop.node)

    def _stdio(self) -> SshStream:
        try:
            return stdio.open_stdio(self._session, self._socket, self._slots, timeout_s=PLACE_S)
        except stdio.Failed as failed:
            raise self._refused(failed.status, failed.words) from None
        except ChannelRefused as refused:
            raise self._no_command(refused.words) from None
        except (paramiko.SSHException, EOFError, OSError) as error:
            raise self._lost(self._socket, error) from error

    def _learn(self, refused: ChannelRefused) -> None:
        """Find out, once, why the Docker socket is refused: a command tells, or turns out to be the way to go."""
        with self._learning:
            if self._by_command:
                return
            try:
                stdio.works(self._session, self._socket, self._slots, timeout_s=OPEN_S)
            except stdio.Failed as failed:
                raise self._refused(failed.status, failed.words) from None
            except ChannelRefused:
                raise self._no_command(refused.words) from None
            except (paramiko.SSHException, EOFError, OSError) as error:
                if isinstance(error, TimeoutError) or not self._session.is_active():
                    raise self._lost(self._socket, error) from error
                raise self._no_command(str(error) or refused.words) from error
            # a direct way that worked before was only interrupted, as by a restart of dockerd
            self._by_command = not self._direct_works

    def _refused(self, status: int, words: str) -> rkx.errors.StreamRefused:
        user, path = self._hop.user, self._socket
        message, hint = {
            stdio.MISSING: (
                f"{path} does not exist, or {user} may not see it",
                "is Docker installed there, and running? Another place is set by docker_socket",
            ),
            stdio.NO_SOCKET: (f"{path} is not a socket", "set docker_socket"),
            stdio.FORBIDDEN: (
                f"{user} may not use {path}",
                f"on the node: sudo usermod -aG docker {user}; it counts from the next sign-in on",
            ),
            stdio.NO_CLIENT: (
                f"nothing listens on {path}, or sshd forbids streams to it",
                f"is dockerd running there? If so, {FORWARDING}",
            ),
        }.get(status, (f"no Docker Engine answers on {path}: {words or status}", "is dockerd running?"))
        return rkx.errors.StreamRefused(f"{self._hop}: {message}", node=self._hop.node, hint=hint)

    def _no_command(self, words: str) -> rkx.errors.StreamRefused:
        return rkx.errors.StreamRefused(
            f"{self._hop}: no stream to {self._socket} ({words}), and no command may be run to learn why",
            node=self._hop.node,
            hint=f"is dockerd running there, and {self._hop.user} in its group? If so, {FORWARDING}",
        )

    def _dial_error(self, address: str, kind: str, refused: ChannelRefused) -> Exception:
        option = "AllowTcpForwarding" if kind == "tcp" else "AllowStreamLocalForwarding"
        if refused.code == PROHIBITED or (kind == "unix" and self._forbids_unix()):
            return rkx.transport.DialForbidden(
                f"{self._hop} forbids a stream to {address}: {option} in its sshd_config"
            )
        return rkx.errors.StreamRefused(
            f"{self._hop}: no connection to {address}: {refused.words or 'refused'}", node=self._hop.node
        )

    def _forbids_unix(self) -> bool:
        """Return whether sshd forbids streams to sockets, which looks just as if nothing listened: ask for Docker's."""
        if not self._direct_works and not self._by_command:
            self.engine().close()
        return self._by_command
