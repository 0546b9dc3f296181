"""The TCP connection to a machine that is reached without a bastion."""

from __future__ import annotations

import contextlib
import socket
import time

import rkx
from rkx_transport_ssh.route import Hop


class PromptSocket(socket.socket):
    """Acknowledges at once what it receives.

    sshd sets TCP_NODELAY only when a command runs; before, the second of two small messages waits for our
    acknowledgement, which Linux delays by 40 ms. The option holds for a while only, hence after each piece.
    """

    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        """Receive, and have it acknowledged."""
        piece = super().recv(bufsize, flags)
        with contextlib.suppress(AttributeError, OSError):  # Linux only, and the connection may have ended
            self.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        return piece


def reach(hop: Hop, *, timeout_s: float) -> socket.socket:
    """Connect to the first address that answers, all together within ``timeout_s``.

    Raises ConnectFailed, or TimedOut when none answers.
    """
    try:
        found = socket.getaddrinfo(hop.host, hop.port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise rkx.errors.ConnectFailed(
            f"the name {hop.host} does not resolve: {error}", node=hop.node, hint="check `address` in cluster.yml"
        ) from error
    failure: OSError = OSError("no address")
    until = time.monotonic() + timeout_s
    for left, (family, kind, proto, _, address) in zip(range(len(found), 0, -1), found, strict=True):
        sock = PromptSocket(family, kind, proto)
        sock.settimeout(max((until - time.monotonic()) / left, 0.1))
        try:
            sock.connect(address)
        except OSError as error:
            sock.close()
            failure = error
            continue
        return _tuned(sock)
    raise _error(hop, failure, timeout_s)


def _error(hop: Hop, failure: OSError, timeout_s: float) -> rkx.errors.TransportError:
    place = f"{hop.host}:{hop.port}"
    if isinstance(failure, TimeoutError):
        return rkx.errors.TimedOut(
            f"{place} does not answer within {timeout_s:g} s",
            node=hop.node,
            hint="is the machine on? A firewall that drops packets looks the same",
        )
    if isinstance(failure, ConnectionRefusedError):
        return rkx.errors.ConnectFailed(
            f"{place} refuses the connection", node=hop.node, hint="does sshd run there, on this port?"
        )
    return rkx.errors.ConnectFailed(f"{place} cannot be reached: {failure.strerror or failure}", node=hop.node)


def _tuned(sock: socket.socket) -> socket.socket:
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with contextlib.suppress(AttributeError, OSError):  # Linux only; SSH's own keepalive does it elsewhere
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 45_000)
    return sock
