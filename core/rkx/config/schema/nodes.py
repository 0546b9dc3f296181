"""Machines, the way to them, and the bastion host."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from rkx.config.schema.marks import Flag, Key, RawMap, Text, TextMap
from rkx.model.node import Role
from rkx.secret import Secret

Effect = Literal["NoSchedule", "PreferNoSchedule", "NoExecute"]


class TaintKeys(msgspec.Struct, kw_only=True, eq=False):
    """``nodes[].taints[]``."""

    key: Annotated[Text, Key(required=True)] = None
    value: Text = None
    effect: Annotated[Effect | None, Key(required=True)] = None
    time_added: Annotated[Text, Key(name="timeAdded", dead="Kubernetes sets the time itself")] = None


class NodeKeys(msgspec.Struct, kw_only=True, eq=False):
    """``nodes[]``."""

    address: Annotated[Text, Key(required=True)] = None
    internal_address: Text = None
    port: Annotated[Text, Key(zero=True)] = None
    user: Text = None
    role: Annotated[tuple[Role, ...] | None, Key(required=True)] = None
    hostname_override: Text = None
    docker_socket: Text = None
    ssh_agent_auth: Flag = None
    ssh_key: Secret[str] | None = None
    ssh_key_path: Text = None
    ssh_cert: Text = None
    ssh_cert_path: Text = None
    labels: TextMap = None
    taints: tuple[TaintKeys, ...] | None = None
    node_name: Annotated[Text, Key(name="nodeName", also=("machine_name",), dead="it was Rancher's own note")] = None
    transport: Text = None
    transport_options: RawMap = None


class BastionKeys(msgspec.Struct, kw_only=True, eq=False):
    """``bastion_host``.

    ``ignore_proxy_env_vars`` needs no act: rkx never sends SSH through the proxies of its environment.
    """

    address: Text = None
    port: Annotated[Text, Key(zero=True)] = None
    user: Text = None
    ssh_key: Secret[str] | None = None
    ssh_key_path: Text = None
    ssh_cert: Text = None
    ssh_cert_path: Text = None
    ssh_agent_auth: Annotated[Flag, Key(dead="the cluster's ssh_agent_auth holds for the bastion too")] = None
    ignore_proxy_env_vars: Flag = None


class SshKeys(msgspec.Struct, kw_only=True, eq=False):
    """``ssh``, which RKE does not have: how host keys are checked."""

    host_keys: Literal["strict", "accept-new"] | None = None
    known_hosts: Text = None
