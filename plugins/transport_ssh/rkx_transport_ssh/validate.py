"""What can be found wrong in cluster.yml before any machine is touched."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import rkx
from rkx_transport_ssh import keyfiles
from rkx_transport_ssh.route import expanded, read_openssh_config, user_of

Judge = Callable[[Path], object]
"""Raises ConfigError where the file of a private key cannot be used."""
SAFE_PATH = re.compile(r"/[A-Za-z0-9_./@+-]*")


def problems(cluster: rkx.Cluster) -> list[rkx.Problem]:
    """List the mistakes of all nodes reached by SSH; one that nodes share is told once, at the first."""
    found: dict[str, rkx.Problem] = {}
    for node in cluster.nodes:
        if node.transport == "ssh":
            for problem in _of_node(node, keyfiles.read_private if cluster.has_secrets else keyfiles.check_file):
                found.setdefault(problem.message, problem)
    return list(found.values())


def _of_node(node: rkx.Node, judge: Judge) -> Iterator[rkx.Problem]:
    options = node.transport_options
    if not options.get("user") and not user_of("", node.address, read_openssh_config()):
        yield rkx.Problem(
            where=f"{node.where}.user",
            message=f"no user to sign in as on {node.address}",
            hint="give `user`, or `User` in ~/.ssh/config",
        )
    path = str(options.get("docker_socket") or "/")
    if not SAFE_PATH.fullmatch(path):
        yield rkx.Problem(
            where=f"{node.where}.docker_socket",
            message=f'"{path}" is not an absolute path of plain characters',
            hint="as in /var/run/docker.sock",
        )
    yield from _keys(options, node.where, judge)
    if known := options.get("known_hosts"):
        from rkx_transport_ssh import hostkeys  # takes its time to import

        yield from _tried(f"{node.where}.known_hosts", lambda: hostkeys.check_file(expanded(str(known))))
    bastion = options.get("bastion")
    if isinstance(bastion, Mapping):
        yield from _keys(bastion, f"{node.where}.bastion", judge)


def _keys(options: Mapping[str, Any], where: str, judge: Judge) -> Iterator[rkx.Problem]:
    inline, path, pinned = options.get("ssh_key"), options.get("ssh_key_path"), options.get("host_key")
    if isinstance(inline, rkx.Unread):
        return
    if inline:
        text = inline.reveal() if isinstance(inline, rkx.Secret) else str(inline)
        yield from _tried(f"{where}.ssh_key", lambda: keyfiles.check_inline(text))
    elif path:
        yield from _tried(f"{where}.ssh_key_path", lambda: judge(expanded(str(path))))
    if pinned:
        from rkx_transport_ssh import hostkeys  # reads keys, which takes its time to import

        yield from _tried(f"{where}.host_key", lambda: hostkeys.pinned_key(str(pinned)))


def _tried(where: str, check: Callable[[], object]) -> Iterator[rkx.Problem]:
    try:
        check()
    except rkx.ConfigError as error:
        yield rkx.Problem(where=where, message=error.message, hint=error.hint)
