"""Sign in on a machine: TCP, banner, key exchange, host key, then the user's keys; hop after hop."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Sequence

import paramiko

import rkx
from rkx_transport_ssh import hostkeys, tcp
from rkx_transport_ssh.guarded import Violation
from rkx_transport_ssh.login import sign_in
from rkx_transport_ssh.route import Hop
from rkx_transport_ssh.session import PROHIBITED, ChannelRefused, Session
from rkx_transport_ssh.streams import SshStream

ANSWER_S = 6.0
"""For TCP and banner together: a frozen machine is named within ten seconds, a busy computer's start of rkx included.

A first packet that is lost is sent again after one and three seconds (tcp(7), tcp_syn_retries).
"""
KEY_EXCHANGE_S = 20.0
"""For greeting and key exchange together, on a busy computer that reaches hundreds of machines, too."""
REACH_S = 20.0
"""From when on nothing is tried again."""
WORDS = 400
"""How many characters are shown of what a machine says in its greeting."""
TRIES, PAUSE_S = 5, 0.3
"""sshd drops connections at random beyond MaxStartups (sshd_config), before its banner."""


class _Dropped(Exception):
    """The machine took the connection and closed it before its banner."""


def connect(hops: Sequence[Hop], prompt: rkx.transport.Prompt | None) -> list[Session]:
    """Sign in on each hop through the one before; the last session is the node's.

    Raises ConnectFailed, TimedOut, HostKeyMismatch or AuthRejected, and ConfigError for a key that cannot be used.
    """
    sessions: list[Session] = []
    try:
        for hop in hops:
            sessions.append(_reach(hop, sessions[-1] if sessions else None))
            sign_in(sessions[-1], hop, prompt)
            sessions[-1].keep_alive()
    except BaseException:
        end(sessions)
        raise
    return sessions


def end(sessions: Sequence[Session]) -> None:
    """Close sessions, the node's first."""
    for session in reversed(sessions):
        session.close()


def _reach(hop: Hop, before: Session | None) -> Session:
    """Shake hands and check the host key, and begin again a few times where the machine drops newcomers."""
    known = hostkeys.known_keys(hop.host_keys)
    until = time.monotonic() + REACH_S
    for attempt in range(TRIES):
        try:
            session = _shake_hands(hop, before, hostkeys.preferred_kinds(known))
        except _Dropped:
            if time.monotonic() > until:
                break
            # spread, so that many nodes behind one bastion do not come back together
            time.sleep(random.uniform(0.5, 1.0) * PAUSE_S * (attempt + 1))  # noqa: S311  # no secret depends on it
            continue
        _check_host_key(session, hop, known)
        return session
    raise rkx.errors.ConnectFailed(
        f"{hop.host}:{hop.port} closes the connection before it greets as SSH",
        node=hop.node,
        hint="is it sshd that listens there? Too many connections at once also do this (MaxStartups in sshd_config)",
    )


def _check_host_key(session: Session, hop: Hop, known: Sequence[hostkeys.KnownKey]) -> None:
    try:
        hostkeys.verify(hop, _offered(session, hop), known)
    except BaseException:
        session.close()
        raise


def _offered(session: Session, hop: Hop) -> hostkeys.Offered:
    try:
        key = session.get_remote_server_key()
    except paramiko.SSHException as error:
        raise rkx.errors.ConnectFailed(
            f"{hop.host}:{hop.port} ends the connection after the key exchange: {session.get_exception() or error}",
            node=hop.node,
        ) from error
    return hostkeys.Offered(kind=key.get_name(), key=key.asbytes(), sent=session.host_key_sent)


def _shake_hands(hop: Hop, before: Session | None, kinds: Sequence[str]) -> Session:
    started = time.monotonic()
    sock = _through(hop, before) if before else tcp.reach(hop, timeout_s=ANSWER_S)
    try:
        _await_greeting(sock, hop, ANSWER_S - (time.monotonic() - started))
        return _exchange_keys(sock, kinds)
    except (paramiko.SSHException, EOFError, OSError) as error:
        sock.close()
        raise _handshake_error(hop, error, time.monotonic() - started) from error
    except BaseException:
        sock.close()
        raise


def _exchange_keys(sock: socket.socket, kinds: Sequence[str]) -> Session:
    """Greet and exchange keys; paramiko's own time limits are for each piece, or end with the first message."""
    session = Session(sock, kinds)
    session.banner_timeout = 2.0
    session.handshake_timeout = KEY_EXCHANGE_S
    session.start_client(timeout=KEY_EXCHANGE_S)
    if not session.initial_kex_done:
        session.close()
        raise TimeoutError
    return session


def _await_greeting(sock: socket.socket, hop: Hop, timeout_s: float) -> None:
    sock.settimeout(max(timeout_s, 0.1))
    try:
        first = sock.recv(1, socket.MSG_PEEK)
    except TimeoutError:
        raise rkx.errors.TimedOut(
            f"{hop.host}:{hop.port} takes the connection, but sends no SSH greeting for {ANSWER_S:g} s",
            node=hop.node,
            hint="the machine may be frozen or overloaded, or something else than sshd listens there",
        ) from None
    except ConnectionError:
        first = b""
    if not first:
        sock.close()
        raise _Dropped


def _handshake_error(hop: Hop, error: Exception, passed_s: float) -> Exception:
    place = f"{hop.host}:{hop.port}"
    if isinstance(error, paramiko.ssh_exception.IncompatiblePeer):
        return rkx.errors.ConnectFailed(
            f"{place} shares no algorithm with us: {str(error)[:WORDS]}",
            node=hop.node,
            hint="SHA-1, MD5, DSA, CBC and small groups are not used; OpenSSH 7.4 and later have others",
        )
    if isinstance(error.__context__, Violation):  # paramiko wraps it, where it reads the greeting
        error = error.__context__
    if isinstance(error, TimeoutError) or passed_s >= KEY_EXCHANGE_S:
        return rkx.errors.TimedOut(f"{place} greets as SSH, but does not end the key exchange", node=hop.node)
    if isinstance(error, EOFError | ConnectionError) or "protocol banner" in str(error):
        return _Dropped()
    return rkx.errors.ConnectFailed(f"{place}: the SSH key exchange failed: {str(error)[:WORDS]}", node=hop.node)


def _through(hop: Hop, before: Session) -> socket.socket:
    """Reach the hop by a stream of the session before it."""
    try:
        return rkx.transport.bridge(SshStream(before.open_tcp(hop.host, hop.port, timeout_s=ANSWER_S)))
    except ChannelRefused as refused:
        raise rkx.errors.ConnectFailed(
            f"the bastion does not connect to {hop.host}:{hop.port}: {refused.words}",
            node=hop.node,
            hint="its sshd needs AllowTcpForwarding yes" if refused.code == PROHIBITED else "",
        ) from None
    except (paramiko.SSHException, EOFError, OSError) as error:
        raise rkx.errors.TimedOut(
            f"the bastion brings no connection to {hop.host}:{hop.port}: {error}", node=hop.node
        ) from error
