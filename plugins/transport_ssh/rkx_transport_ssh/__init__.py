"""SSH as the way to reach nodes: one connection a node, many streams on it."""

from __future__ import annotations

import logging

import rkx
from rkx_transport_ssh.config import BastionConfig, SshConfig
from rkx_transport_ssh.deferred import defer

__all__ = ["BastionConfig", "SshConfig", "SshTransport"]
defer("invoke")  # paramiko uses it for `Match exec` of ~/.ssh/config alone; importing it takes as long as a login
logging.getLogger("rkx.transport_ssh").addHandler(logging.NullHandler())


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
