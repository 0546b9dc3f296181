"""Put together what a transport gets to reach a node: the cluster's keys, the node's, the bastion's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rkx.config.addresses import fault_of_address, fault_of_port
from rkx.config.diagnostics import Diagnostics
from rkx.config.options import Options, located, section
from rkx.config.schema.nodes import BastionKeys, NodeKeys
from rkx.config.schema.top import ClusterKeys
from rkx.config.tree import Table, as_table, from_python
from rkx.files import expanded

RKE_TRANSPORT = "ssh"
"""The transport that RKE's own keys are for."""


def transport_options(keys: ClusterKeys, node: NodeKeys, where: str, diags: Diagnostics) -> Options:
    """Return the transport's options for one node; the nearer mapping wins."""
    ours = keys.transport or RKE_TRANSPORT
    name = node.transport or ours
    given = _ssh(keys, node, where, diags) if name == RKE_TRANSPORT else {}
    entries = dict(as_table(from_python(given)).entries)
    for path in (*(["transport_options"] if name == ours else []), f"{where}.transport_options"):
        entries |= located(diags.document.table(path), path)
    return Options(Table(entries), where)


def _ssh(keys: ClusterKeys, node: NodeKeys, where: str, diags: Diagnostics) -> dict[str, Any]:
    folder = diags.document.path.parent
    if node.ssh_key and node.ssh_key_path:
        place = diags.position(f"{where}.ssh_key_path")
        diags.at_key(f"{where}.ssh_key", f"ssh_key is used, ssh_key_path at {place} is not", "keep one", warning=True)
    if node.ssh_agent_auth is not None and node.ssh_agent_auth != bool(keys.ssh_agent_auth):
        diags.at_key(f"{where}.ssh_agent_auth", "the cluster's ssh_agent_auth is used", "set it there", warning=True)
    ssh = keys.ssh
    options = {
        "user": node.user,
        "port": _port(node.port),
        **_keys(keys, node, folder),
        "ssh_agent_auth": keys.ssh_agent_auth or None,
        "docker_socket": node.docker_socket,
        "host_keys": ssh.host_keys if ssh else None,
        "known_hosts": absolute(ssh.known_hosts, folder) if ssh else None,
        "bastion": _bastion(keys, diags, folder) if keys.bastion_host and keys.bastion_host.address else None,
    }
    return {key: value for key, value in options.items() if value is not None}


def _keys(keys: ClusterKeys, owner: NodeKeys | BastionKeys, folder: Path) -> dict[str, Any]:
    """Return key and certificate: the owner's own, else the cluster's; its certificate goes with its key only."""
    if owner.ssh_key:
        return {"ssh_key": owner.ssh_key, **_certificate(owner, folder)}
    if owner.ssh_key_path:
        return {"ssh_key_path": absolute(owner.ssh_key_path, folder), **_certificate(owner, folder)}
    path = absolute(keys.ssh_key_path, folder)
    ours = {"ssh_cert_path": absolute(keys.ssh_cert_path, folder)}
    return {"ssh_key_path": path, **(_certificate(owner, folder) or ours)}


def _certificate(owner: NodeKeys | BastionKeys, folder: Path) -> dict[str, Any]:
    if owner.ssh_cert:
        return {"ssh_cert": owner.ssh_cert}
    return {"ssh_cert_path": absolute(owner.ssh_cert_path, folder)} if owner.ssh_cert_path else {}


def _bastion(keys: ClusterKeys, diags: Diagnostics, folder: Path) -> dict[str, Any]:
    bastion = keys.bastion_host or BastionKeys()
    options = {
        "address": bastion.address,
        "port": _port(bastion.port),
        "user": bastion.user,
        **_keys(keys, bastion, folder),
    }
    return {key: value for key, value in options.items() if value is not None}


def judge_bastion(keys: ClusterKeys, diags: Diagnostics) -> None:
    """Judge the bastion host's address and port, once for all nodes."""
    bastion = keys.bastion_host
    if bastion and not bastion.address:
        written = section(BastionKeys, diags.document.table("bastion_host"))
        diags.idle("bastion_host", written.entries, "a bastion needs an address")
    if bastion and bastion.address and (fault := fault_of_address(bastion.address)):
        diags.error("bastion_host.address", *fault)
    if bastion and bastion.port and (wrong := fault_of_port(bastion.port)):
        diags.error("bastion_host.port", wrong, "1-65535")


def absolute(path: str | None, folder: Path) -> str | None:
    """Make a path absolute: ``~`` is the operator's home, others start at the cluster file's folder."""
    return str(folder.absolute() / expanded(path)) if path else None


def _port(text: str | None) -> int | None:
    return int(text) if text and not fault_of_port(text) else None
