"""SSH as the way to reach nodes: one connection a node, many streams on it."""

from __future__ import annotations

import logging
from typing import Literal

import msgspec

import rkx
from rkx_transport_ssh.deferred import defer

defer("invoke")  # paramiko uses it for `Match exec` of ~/.ssh/config alone; importing it takes as long as a login
logging.getLogger("rkx.transport_ssh").addHandler(logging.NullHandler())


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


class SshTransport(rkx.TransportPlugin[SshConfig]):
    """Reach a node by SSH, with the rights of a user who may use its Docker socket."""

    name = "ssh"
    api = 0
    Config = SshConfig

    @rkx.hookimpl
    def rkx_validate(self, cluster: rkx.Cluster) -> list[rkx.Problem]:
        """Find keys that are missing, readable by others or public, and nodes without a user."""
        from rkx_transport_ssh.validate import problems

        return problems(cluster)

    @rkx.hookimpl
    def rkx_open_transport(self, node: rkx.Node, prompt: rkx.transport.Prompt | None) -> rkx.transport.Transport:
        """Sign in on the node, through its bastions; streams are opened later on the same connection."""
        from rkx_transport_ssh.connect import connect
        from rkx_transport_ssh.node import SshNode
        from rkx_transport_ssh.route import route

        hops = route(self.config, node.address, node.name)
        return SshNode(connect(hops, prompt), hops[-1], self.config.docker_socket)
