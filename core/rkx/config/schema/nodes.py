"""Machines, the way to them, and the bastion host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rkx.config.schema.marks import Flag, RawMap, Text, TextMap, mark
from rkx.model.node import Role
from rkx.secret import Secret

Effect = Literal["NoSchedule", "PreferNoSchedule", "NoExecute"]


@dataclass(kw_only=True, eq=False, repr=False)
class TaintKeys:
    """``nodes[].taints[]``."""

    key: Text = mark(required=True)
    value: Text = None
    effect: Effect | None = mark(required=True)
    time_added: Text = mark("timeAdded", dead="Kubernetes sets the time itself")


@dataclass(kw_only=True, eq=False, repr=False)
class NodeKeys:
    """``nodes[]``."""

    address: Text = mark(required=True)
    internal_address: Text = None
    port: Text = mark(zero=True)
    user: Text = None
    role: tuple[Role, ...] | None = mark(required=True)
    hostname_override: Text = None
    docker_socket: Text = None
    ssh_agent_auth: Flag = None
    ssh_key: Secret[str] | None = None
    ssh_key_path: Text = None
    ssh_cert: Text = None
    ssh_cert_path: Text = None
    labels: TextMap = None
    taints: tuple[TaintKeys, ...] | None = None
    node_name: Text = mark("nodeName", also=("machine_name",), dead="it was Rancher's own note")
    transport: Text = None
    transport_options: RawMap = None


@dataclass(kw_only=True, eq=False, repr=False)
class BastionKeys:
    """``bastion_host``.

    ``ignore_proxy_env_vars`` needs no act: rkx never sends SSH through the proxies of its environment.
    """

    address: Text = None
    port: Text = mark(zero=True)
    user: Text = None
    ssh_key: Secret[str] | None = None
    ssh_key_path: Text = None
    ssh_cert: Text = None
    ssh_cert_path: Text = None
    ssh_agent_auth: Flag = mark(dead="the cluster's ssh_agent_auth holds for the bastion too")
    ignore_proxy_env_vars: Flag = None


@dataclass(kw_only=True, eq=False, repr=False)
class SshKeys:
    """``ssh``, which RKE does not have: how host keys are checked."""

    host_keys: Literal["strict", "accept-new"] | None = None
    known_hosts: Text = None
