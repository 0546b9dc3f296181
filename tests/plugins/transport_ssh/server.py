"""An SSH server in this process, on loopback, that can be made to misbehave."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import paramiko
from paramiko.common import (
    AUTH_FAILED,
    AUTH_SUCCESSFUL,
    MSG_CHANNEL_OPEN_FAILURE,
    MSG_KEXINIT,
    MSG_USERAUTH_BANNER,
    MSG_USERAUTH_FAILURE,
    OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
    OPEN_FAILED_CONNECT_FAILED,
    OPEN_FAILED_RESOURCE_SHORTAGE,
    OPEN_SUCCEEDED,
)
from paramiko.message import Message

PIECE_BYTES = 1 << 16
DRIP_S = 0.05
"""How often a server says a little, so that each piece comes in time and all of them do not."""


@dataclass(kw_only=True)
class Behaviour:
    """What the server does; may be changed while it runs."""

    users: dict[str, list[bytes]] = field(default_factory=dict)
    methods: str = "publickey"
    silent: bool = False
    drops: int = 0
    no_streams_to_sockets: bool = False
    no_tcp: bool = False
    no_commands: bool = False
    silent_commands: bool = False
    no_key_exchange: bool = False
    endless_sign_in: bool = False
    unreadable: int = 0
    """The kind of message whose words are no UTF-8."""
    mute: bool = False
    """Lets nobody's channel open, and says nothing."""
    max_sessions: int = 10
    path: str = "/usr/bin:/bin"
    profile: str = ""
    """What the login shell prints before each command."""


class Server:
    """Listens until closed; counts connections."""

    def __init__(self, host_key: paramiko.PKey, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.connections = 0
        self._host_key = host_key
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket | _ServerTransport] = []
        self._rules: list[_Rules] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def cut(self) -> None:
        """End all connections."""
        while self._open:
            one = self._open.pop()
            one.close()
            if isinstance(one, _ServerTransport):
                one.join()  # which close does only where the client is still there

    def send(self, kind: int, *fields: str | bytes | int | bool, times: int = 1) -> None:
        """Send a message on all connections, whether it was asked for or not, as far as they take it."""
        m = Message()
        m.add_byte(bytes([kind]))
        m.add(*fields)
        with contextlib.suppress(OSError, EOFError):
            for transport in [one for one in self._open if isinstance(one, _ServerTransport)] * times:
                transport._send_message(m)

    def close(self) -> None:
        with contextlib.suppress(OSError, EOFError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        self.cut()
        for command in [command for rules in self._rules for command in rules.commands]:
            command.join()

    def _serve(self) -> None:
        with contextlib.suppress(OSError, EOFError):
            while True:
                sock, _ = self._listener.accept()
                self.connections += 1
                self._welcome(sock)

    def _welcome(self, sock: socket.socket) -> None:
        if self.behaviour.silent:
            self._open.append(sock)
            return
        if self.behaviour.drops:
            self.behaviour.drops -= 1
            sock.close()
            return
        transport = _ServerTransport(sock, self.behaviour)
        transport.set_log_channel("rkx.tests.server")
        transport.add_server_key(self._host_key)
        self._open.append(transport)
        self._rules.append(_Rules(self.behaviour, transport))
        transport.start_server(event=threading.Event(), server=self._rules[-1])


class _ServerTransport(paramiko.Transport):
    """Reads the path of a stream to a unix socket, which paramiko's server does not know."""

    wanted_path = ""

    def __init__(self, sock: socket.socket, behaviour: Behaviour) -> None:
        super().__init__(sock)
        self._behaviour = behaviour
        self.closed = threading.Event()
        """Who says nothing, or the same again and again, waits for it."""

    def close(self) -> None:
        self.closed.set()
        super().close()

    def _send_message(self, data: Message) -> None:
        sent = data.asbytes()
        if sent[0] == self._behaviour.unreadable:
            data = _with_odd_words(sent)
        super()._send_message(data)  # type: ignore[misc]  # not in paramiko's stubs

    def greet(self) -> None:
        m = Message()
        m.add_byte(bytes([MSG_USERAUTH_BANNER]))
        m.add("still looking", "en")
        self._send_message(m)

    def _negotiate_keys(self, m: Message) -> None:
        if self._behaviour.no_key_exchange:
            self.closed.wait()
        super()._negotiate_keys(m)  # type: ignore[misc]  # not in paramiko's stubs

    def _parse_channel_open(self, m: Message) -> None:
        if self._behaviour.mute:
            return
        if m.get_text() == "direct-streamlocal@openssh.com":
            m.get_int(), m.get_int(), m.get_int()
            self.wanted_path = m.get_text()
        m.rewind()
        super()._parse_channel_open(m)  # type: ignore[misc]  # not in paramiko's stubs


BEFORE_WORDS = {MSG_KEXINIT: 17, MSG_USERAUTH_FAILURE: 1, MSG_CHANNEL_OPEN_FAILURE: 9}


def _with_odd_words(sent: bytes) -> Message:
    """Put bytes that are no UTF-8 in the place of a message's first words."""
    at = BEFORE_WORDS[sent[0]]
    rest = Message(sent[at:])
    rest.get_binary()
    bent = Message()
    bent.add_bytes(sent[:at])
    bent.add_string(b"\xff\xfe")
    bent.add_bytes(rest.get_remainder())
    return bent


class _Rules(paramiko.ServerInterface):
    def __init__(self, behaviour: Behaviour, transport: _ServerTransport) -> None:
        self._behaviour = behaviour
        self._transport = transport
        self.commands: list[threading.Thread] = []
        self._sessions: set[int] = set()
        self._targets: dict[int, socket.socket] = {}
        self._kept: dict[int, paramiko.Channel] = {}
        """paramiko closes a channel that nobody holds."""
        threading.Thread(target=self._accept, daemon=True).start()

    def get_allowed_auths(self, username: str) -> str:
        return self._behaviour.methods

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        while self._behaviour.endless_sign_in and not self._transport.closed.wait(DRIP_S):
            self._transport.greet()
        known = self._behaviour.users.get(username, [])
        allowed = "publickey" in self._behaviour.methods and key.asbytes() in known
        return AUTH_SUCCESSFUL if allowed else AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        if kind == "session":
            if len(self._sessions) >= self._behaviour.max_sessions:
                return OPEN_FAILED_RESOURCE_SHORTAGE
            self._sessions.add(chanid)
            return OPEN_SUCCEEDED
        if self._behaviour.no_streams_to_sockets:
            return OPEN_FAILED_CONNECT_FAILED
        return self._reach(chanid, lambda: _unix(self._transport.wanted_path))

    def check_channel_direct_tcpip_request(
        self, chanid: int, origin: tuple[str, int], destination: tuple[str, int]
    ) -> int:
        if self._behaviour.no_tcp:
            return OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED
        return self._reach(chanid, lambda: socket.create_connection(destination, 5))

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        if self._behaviour.no_commands:
            return False
        if self._behaviour.silent_commands:
            self._transport.closed.wait()
            return False
        run = threading.Thread(target=self._run, args=(channel, command.decode()), daemon=True)
        self.commands.append(run)
        run.start()
        return True

    def _reach(self, chanid: int, connect: Callable[[], socket.socket]) -> int:
        try:
            self._targets[chanid] = connect()
        except OSError:
            return OPEN_FAILED_CONNECT_FAILED
        return OPEN_SUCCEEDED

    def _accept(self) -> None:
        while (channel := self._transport.accept()) or self._transport.is_active():
            if not channel:
                continue
            self._kept[channel.get_id()] = channel
            if target := self._targets.pop(channel.get_id(), None):
                _both_ways(channel, target)

    def _run(self, channel: paramiko.Channel, command: str) -> None:
        ours, theirs = socket.socketpair()
        program = subprocess.Popen(
            ["/bin/sh", "-c", f"{self._behaviour.profile}\n{command}"],
            stdin=theirs.fileno(),
            stdout=theirs.fileno(),
            stderr=subprocess.PIPE,
            env={"PATH": self._behaviour.path},
        )
        theirs.close()
        up = threading.Thread(target=_from_channel, args=(channel, ours), daemon=True)
        up.start()
        with program:
            with contextlib.suppress(OSError, EOFError):
                while piece := ours.recv(PIECE_BYTES):
                    channel.sendall(piece)
            with contextlib.suppress(OSError, EOFError):
                ours.shutdown(socket.SHUT_RDWR)
            words = program.stderr.read() if program.stderr else b""
        with contextlib.suppress(OSError, EOFError):
            channel.sendall_stderr(words)
            channel.send_exit_status(program.returncode & 0xFF)  # negative after a signal
        _end(channel)
        up.join()
        ours.close()
        self._sessions.discard(channel.get_id())


def _unix(path: str) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.connect(path)
    except OSError:
        sock.close()
        raise
    return sock


def _both_ways(channel: paramiko.Channel, sock: socket.socket) -> None:
    def run() -> None:
        up = threading.Thread(target=_from_channel, args=(channel, sock), daemon=True)
        up.start()
        _to_channel(sock, channel)
        up.join()
        _end(channel)
        sock.close()

    threading.Thread(target=run, daemon=True).start()


def _end(channel: paramiko.Channel) -> None:
    with contextlib.suppress(OSError, EOFError):
        channel.close()


def _from_channel(channel: paramiko.Channel, sock: socket.socket) -> None:
    with contextlib.suppress(OSError, EOFError):
        while piece := channel.recv(PIECE_BYTES):
            sock.sendall(piece)
        sock.shutdown(socket.SHUT_WR)


def _to_channel(sock: socket.socket, channel: paramiko.Channel) -> None:
    with contextlib.suppress(OSError, EOFError):
        while piece := sock.recv(PIECE_BYTES):
            channel.sendall(piece)
        channel.shutdown_write()
