"""Signing in: each failure has its class and says what to do; bastions and ~/.ssh/config are honoured."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from copy import copy
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.plugins.transport_ssh.conftest import Open, as_server_key, pem, public_line
from tests.plugins.transport_ssh.server import Behaviour, Server

import rkx
from rkx_transport_ssh import BastionConfig, SshConfig, connect
from rkx_transport_ssh.keys import Private


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        return int(bound.getsockname()[1])


@pytest.fixture
def bastion(host_keys: tuple[Private, Private], behaviour: Behaviour, tmp_path: Path) -> Iterator[Server]:
    """Another machine, with another host key, that lets the same keys in."""
    running = Server(as_server_key(host_keys[1], tmp_path), copy(behaviour))
    yield running
    running.close()


def test_a_refused_port_is_named(open_node: Open) -> None:
    port = free_port()
    with pytest.raises(rkx.errors.ConnectFailed, match=f"127.0.0.1:{port} refuses") as caught:
        open_node(port=port)
    assert (caught.value.node, caught.value.exit_code) == ("one", 4)


def test_a_name_that_does_not_resolve_is_told_so(open_node: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(rkx.errors.ConnectFailed, match=r"nosuch\.invalid does not resolve"):
        open_node(address="nosuch.invalid")


def test_a_frozen_machine_is_named_in_time(
    open_node: Open, behaviour: Behaviour, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert connect.ANSWER_S <= 6
    monkeypatch.setattr(connect, "ANSWER_S", 0.2)
    behaviour.silent = True
    started = time.monotonic()
    with pytest.raises(rkx.errors.TimedOut, match="no SSH greeting"):
        open_node()
    assert time.monotonic() - started < 1


def test_a_machine_that_swallows_packets_is_named_in_time(open_node: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connect, "ANSWER_S", 0.2)
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        with socket.create_connection(address), pytest.raises(rkx.errors.TimedOut):
            open_node(port=address[1])


@pytest.mark.whole
def test_newcomers_dropped_before_the_greeting_come_back(
    open_node: Open, behaviour: Behaviour, server: Server, engine: Path
) -> None:
    behaviour.drops = 2
    open_node().engine().close()
    assert server.connections == 3


def test_a_port_that_always_drops_is_named(
    open_node: Open, behaviour: Behaviour, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connect, "PAUSE_S", 0.001)
    behaviour.drops = 99
    with pytest.raises(rkx.errors.ConnectFailed, match="closes the connection before it greets") as caught:
        open_node()
    assert "MaxStartups" in caught.value.hint


def test_a_wrong_user_is_told_what_was_shown_and_what_is_offered(open_node: Open, key_file: Path) -> None:
    with pytest.raises(rkx.errors.AuthRejected) as caught:
        open_node(user="root")
    assert f"shown: {key_file}; it offers: publickey" in caught.value.message
    assert caught.value.message.startswith("root@127.0.0.1:")


def test_a_machine_without_key_sign_in_is_told_so(open_node: Open, behaviour: Behaviour) -> None:
    behaviour.methods = "password,keyboard-interactive"
    with pytest.raises(rkx.errors.AuthRejected, match="only: password, keyboard-interactive"):
        open_node()


def test_a_bastion_is_the_way_and_is_verified_too(
    open_node: Open, bastion: Server, server: Server, host_keys: tuple[Private, Private], engine: Path
) -> None:
    hop = BastionConfig(address="127.0.0.1", port=bastion.port, user="ubuntu", host_key=public_line(host_keys[1]))
    open_node(bastion=hop).engine().close()
    assert (bastion.connections, server.connections) == (1, 1)
    with pytest.raises(rkx.errors.HostKeyMismatch, match=f"127.0.0.1:{bastion.port}"):
        open_node(bastion=replace(hop, host_key=public_line(host_keys[0])))
    assert server.connections == 1


def test_a_bastion_that_forbids_forwarding_is_told_so(
    open_node: Open, bastion: Server, host_keys: tuple[Private, Private]
) -> None:
    bastion.behaviour.no_tcp = True
    hop = BastionConfig(address="127.0.0.1", port=bastion.port, user="ubuntu", host_key=public_line(host_keys[1]))
    with pytest.raises(rkx.errors.ConnectFailed, match="the bastion does not connect") as caught:
        open_node(bastion=hop)
    assert "AllowTcpForwarding" in caught.value.hint


def test_openssh_config_gives_name_user_port_key_and_jump(
    open_node: Open,
    home: Path,
    bastion: Server,
    server: Server,
    key_file: Path,
    host_keys: tuple[Private, Private],
    engine: Path,
) -> None:
    common = f"  HostName 127.0.0.1\n  User ubuntu\n  IdentityFile {key_file}\n"
    (home / ".ssh" / "config").write_text(
        f"Host jump\n{common}  Port {bastion.port}\nHost first\n{common}  Port {server.port}\n  ProxyJump jump\n"
    )
    (home / ".ssh" / "known_hosts").write_text(
        f"[127.0.0.1]:{bastion.port} {public_line(host_keys[1])}\n"
        f"[127.0.0.1]:{server.port} {public_line(host_keys[0])}\n"
    )
    open_node(address="first", user="", port=0, ssh_key_path="", host_key="").engine().close()
    assert (bastion.connections, server.connections) == (1, 1)


def test_openssh_config_that_cannot_be_read_is_named(open_node: Open, home: Path) -> None:
    (home / ".ssh" / "config").write_text("Host\n=\n")
    with pytest.raises(rkx.ConfigError, match=r"\.ssh/config cannot be read"):
        open_node()


def test_no_user_anywhere_is_a_mistake(open_node: Open) -> None:
    with pytest.raises(rkx.ConfigError, match="no user to sign in as"):
        open_node(user="")


def test_nothing_of_a_secret_shows(user_keys: dict[str, Private]) -> None:
    text = pem(user_keys["rsa"])
    assert text.splitlines()[3] not in repr(SshConfig(user="ubuntu", ssh_key=rkx.Secret(text)))
