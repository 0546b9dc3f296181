"""Show the user's keys to a machine, one after the other."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from functools import partial

import paramiko

import rkx
from rkx_transport_ssh import keys
from rkx_transport_ssh.guarded import Violation
from rkx_transport_ssh.route import Hop
from rkx_transport_ssh.session import Session

SIGN_IN_S = 40.0
"""For all keys together; sshd takes six at most (MaxAuthTries)."""
WORDS = 200
"""How many characters are shown of the ways to sign in that a machine names."""


def sign_in(session: Session, hop: Hop, prompt: rkx.transport.Prompt | None) -> None:
    """Sign in with the agent's keys, if asked for, then with those of the hop.

    Raises AuthRejected with what was shown and what the machine would take; TimedOut when it does not say; ConfigError
    for a key of no use.
    """
    with _agent_keys(hop) as from_agent:
        shown = [*from_agent, *keys.load(hop.keys, hop.user, partial(_passphrase, hop, prompt))]
        until = time.monotonic() + SIGN_IN_S
        for label, key in shown:
            session.auth_timeout = until - time.monotonic()
            if _try(session, hop, label, key):
                return
            if time.monotonic() >= until:
                raise rkx.errors.TimedOut(f"{hop} does not end the sign-in within {SIGN_IN_S:g} s", node=hop.node)
    session.auth_timeout = until - time.monotonic()
    raise _rejected(session, hop, [label for label, _ in shown])


def _passphrase(hop: Hop, prompt: rkx.transport.Prompt | None, label: str) -> bytes:
    if prompt is None:
        raise rkx.errors.AuthRejected(
            f"{hop.node}: SSH key {label} has a passphrase, and there is no terminal to ask for it",
            node=hop.node,
            hint="put it into ssh-agent and set ssh_agent_auth: true, or run in a terminal",
        )
    return prompt(f"Passphrase of the SSH key {label}").encode()


@contextlib.contextmanager
def _agent_keys(hop: Hop) -> Iterator[list[tuple[str, paramiko.PKey]]]:
    """Return the agent's keys, with the agent open as long as they are used; it is never forwarded."""
    if not hop.keys.agent:
        yield []
        return
    try:
        agent = paramiko.Agent()
    except (paramiko.SSHException, OSError) as error:
        raise rkx.errors.AuthRejected(f"ssh-agent does not answer: {error}", node=hop.node) from error
    try:
        found = agent.get_keys()
        if not found and hop.keys.usual:
            raise _no_agent_keys(hop)
        yield [(f"{key.comment or key.get_name()} of ssh-agent", key) for key in found]
    finally:
        agent.close()


def _no_agent_keys(hop: Hop) -> rkx.errors.AuthRejected:
    socket_path = os.environ.get("SSH_AUTH_SOCK", "")
    if not socket_path:
        return rkx.errors.AuthRejected(
            "ssh_agent_auth is set, but no ssh-agent runs: SSH_AUTH_SOCK is empty",
            node=hop.node,
            hint="eval $(ssh-agent); ssh-add KEY",
        )
    return rkx.errors.AuthRejected(
        f"the ssh-agent at {socket_path} holds no key, or is gone", node=hop.node, hint="ssh-add KEY"
    )


def _try(session: Session, hop: Hop, label: str, key: paramiko.PKey) -> bool:
    """Show one key; False if the machine does not take it."""
    try:
        missing = session.auth_publickey(hop.user, key)
    except Violation as broken:
        raise rkx.errors.ConnectFailed(f"{hop}: {broken}", node=hop.node) from broken
    except paramiko.BadAuthenticationType as error:
        raise rkx.errors.AuthRejected(
            f"{hop} takes no keys, only: {_named(error)}",
            node=hop.node,
            hint="its sshd needs PubkeyAuthentication yes",
        ) from error
    except paramiko.AuthenticationException as error:
        if session.is_active():
            return False
        raise _cut_off(hop, label) from error
    except (paramiko.SSHException, EOFError, OSError) as error:
        raise _cut_off(hop, label) from error
    if missing:
        raise rkx.errors.AuthRejected(
            f"{hop} takes the key {label}, but wants more: {', '.join(missing)[:WORDS]}", node=hop.node
        )
    return True


def _cut_off(hop: Hop, label: str) -> rkx.errors.AuthRejected:
    return rkx.errors.AuthRejected(
        f"{hop} ended the connection when the key {label} was shown",
        node=hop.node,
        hint="it may take fewer tries (MaxAuthTries) or not the kind of key; its log says more",
    )


def _rejected(session: Session, hop: Hop, labels: list[str]) -> rkx.errors.AuthRejected:
    return rkx.errors.AuthRejected(
        f"{hop} refuses the user or the key; shown: {', '.join(labels) or 'none'}; it offers: {_offers(session, hop)}",
        node=hop.node,
        hint=f"is {hop.user} the right user, and the key in its ~/.ssh/authorized_keys?",
    )


def _offers(session: Session, hop: Hop) -> str:
    try:
        session.auth_none(hop.user)
    except paramiko.BadAuthenticationType as error:
        return _named(error)
    except (paramiko.SSHException, EOFError, OSError):
        pass
    return "unknown"


def _named(error: paramiko.BadAuthenticationType) -> str:
    return ", ".join(error.allowed_types)[:WORDS]
