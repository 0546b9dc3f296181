"""The options of nodes that are reached by SSH."""

from __future__ import annotations

from typing import Literal

import msgspec

import rkx


class BastionConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The machine to sign in on first; what is empty is taken from ``~/.ssh/config``, keys then from the node."""

    address: str
    port: int = 0
    user: str = ""
    ssh_key: rkx.Secret[str] | None = None
    ssh_key_path: str = ""
    ssh_cert: str = ""
    ssh_cert_path: str = ""
    host_key: str = ""


class SshConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What a node may have beside its address.

    ``user`` and ``port`` are taken from ``~/.ssh/config`` when empty, the port is 22 at last. ``ssh_key_path`` is
    ``~/.ssh/id_rsa`` when empty, or one of OpenSSH's other usual names. ``host_key`` pins the key: a line such as
    ``ssh-ed25519 AAAA...``.
    """

    user: str = ""
    port: int = 0
    ssh_key: rkx.Secret[str] | None = None
    ssh_key_path: str = ""
    ssh_cert: str = ""
    ssh_cert_path: str = ""
    ssh_agent_auth: bool = False
    docker_socket: str = "/var/run/docker.sock"
    host_keys: Literal["strict", "accept-new"] = "strict"
    host_key: str = ""
    known_hosts: str = ""
    bastion: BastionConfig | None = None
