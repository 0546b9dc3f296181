"""One SSH connection: paramiko's, taught streams to unix sockets, exact refusals and a keepalive that notices."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Sequence

import paramiko
from paramiko.common import cMSG_GLOBAL_REQUEST
from paramiko.message import Message

from rkx_transport_ssh import algorithms
from rkx_transport_ssh.guarded import GuardedTransport
from rkx_transport_ssh.outlet import Outlet
from rkx_transport_ssh.streams import close

STREAMLOCAL = "direct-streamlocal@openssh.com"
WINDOW_BYTES = 4 << 20
KEEPALIVE_S = 15
KEEPALIVES_UNANSWERED = 3
ORIGIN = ("127.0.0.1", 0)
WORDS = 4096
"""How many characters of a refusal are kept."""
PROHIBITED = 1
"""RFC 4254, section 5.1: SSH_OPEN_ADMINISTRATIVELY_PROHIBITED."""


class ChannelRefused(Exception):
    """The server refused a channel: its reason code (RFC 4254, 5.1) and its own words."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(words)
        self.code = code
        self.words = words


class _Opening:
    """One opening under way: the fields that paramiko does not know of, and then the channel's number and refusal."""

    def __init__(self, extra: bytes) -> None:
        self.extra = extra
        self.number = -1
        self.refused: ChannelRefused | None = None


class Session(GuardedTransport):
    """A client's connection; channels may be opened from any thread.

    paramiko gives one place to the last refusal, whichever thread it is for; here each opening gets its own.
    """

    def __init__(self, sock: socket.socket, host_key_kinds: Sequence[str]) -> None:
        super().__init__(sock, WINDOW_BYTES)
        self.set_log_channel("rkx.transport_ssh.paramiko")
        self.host_key_sent = b""
        self._host_key_kinds = tuple(host_key_kinds)
        self._here = threading.local()
        self._openings: dict[int, _Opening] = {}
        self._unanswered = 0
        algorithms.restrict(self.get_security_options())

    @property
    def preferred_keys(self) -> Sequence[str]:
        """Name the kinds of host key to ask for, as paramiko takes them in the key exchange."""
        return self._host_key_kinds

    @property
    def preferred_pubkeys(self) -> Sequence[str]:
        """Name the kinds of the user's keys that may sign, as paramiko takes them when it signs in."""
        return algorithms.KEYS

    def open_unix(self, path: str, *, timeout_s: float) -> paramiko.Channel:
        """Open a stream to a unix socket of the server; raises ChannelRefused."""
        extra = Message()
        extra.add_string(path)
        extra.add_string("")
        extra.add_int(0)
        return self._open(STREAMLOCAL, extra.asbytes(), timeout_s)

    def open_tcp(self, host: str, port: int, *, timeout_s: float) -> paramiko.Channel:
        """Open a stream to an address as seen from the server; raises ChannelRefused."""
        return self._open("direct-tcpip", b"", timeout_s, (host, port))

    def open_command(self, command: str, *, timeout_s: float) -> paramiko.Channel:
        """Run a command on the server; raises ChannelRefused, and TimeoutError when it does not say if it runs."""
        until = time.monotonic() + timeout_s
        channel = self._open("session", b"", timeout_s)
        given_up = threading.Timer(until - time.monotonic(), close, [channel])  # paramiko waits without end
        given_up.daemon = True
        given_up.start()
        try:
            channel.exec_command(command)
        except paramiko.SSHException as error:
            raise (TimeoutError() if time.monotonic() >= until else error) from error
        finally:
            given_up.cancel()
        return channel

    def keep_alive(self) -> None:
        """Ask for a sign of life whenever the line is quiet, and end the connection if none comes three times."""
        self.packetizer.set_keepalive(KEEPALIVE_S, self._probe)

    def _open(
        self, kind: str, extra: bytes, timeout_s: float, destination: tuple[str, int] | None = None
    ) -> paramiko.Channel:
        opening = self._here.opening = _Opening(extra)
        try:
            channel = self.open_channel(kind, timeout=timeout_s, dest_addr=destination, src_addr=ORIGIN)
            channel.transport = Outlet(self)  # type: ignore[assignment]  # it acts like the connection
        except (paramiko.SSHException, EOFError, OSError):
            if opening.refused is None:
                raise
            raise opening.refused from None
        else:
            return channel
        finally:
            self._here.opening = None
            self._openings.pop(opening.number, None)

    def _send_user_message(self, data: Message) -> None:
        """Add the fields that paramiko does not know of to this thread's channel opening, and note its number."""
        opening: _Opening | None = getattr(self._here, "opening", None)
        if opening is not None:
            self._here.opening = None
            sent = Message(data.asbytes())
            sent.get_byte()
            sent.get_string()
            opening.number = sent.get_int()
            self._openings[opening.number] = opening
            data.add_bytes(opening.extra)
        super()._send_user_message(data)  # type: ignore[misc]  # not in paramiko's stubs

    def _parse_channel_open_failure(self, m: Message) -> None:
        number, code, words = m.get_int(), m.get_int(), m.get_binary()
        if opening := self._openings.get(number):
            opening.refused = ChannelRefused(code, words.decode(errors="replace")[:WORDS])
        m.rewind()
        super()._parse_channel_open_failure(m)  # type: ignore[misc]  # not in paramiko's stubs

    def _verify_key(self, host_key: bytes, sig: bytes) -> None:
        # paramiko takes any hash that it knows, whichever was agreed on
        if Message(sig).get_text() != str(self.host_key_type).removesuffix(algorithms.CERTIFICATE):
            raise paramiko.SSHException(f"the host key signs otherwise than as {self.host_key_type}")
        super()._verify_key(host_key, sig)  # type: ignore[misc]  # not in paramiko's stubs
        self.host_key_sent = host_key

    def _probe(self) -> None:
        if self._unanswered == KEEPALIVES_UNANSWERED:
            raise EOFError("no answer to keepalives")
        self._unanswered += 1
        question = Message()
        question.add_byte(cMSG_GLOBAL_REQUEST)
        question.add_string("keepalive@openssh.com")
        question.add_boolean(True)
        self._send_message(question)  # type: ignore[attr-defined]  # not in paramiko's stubs

    def _parse_request_failure(self, m: Message) -> None:
        """Take the refusal of an unknown request, which is how OpenSSH answers a keepalive."""
        self._unanswered = 0
        super()._parse_request_failure(m)  # type: ignore[misc]  # not in paramiko's stubs
