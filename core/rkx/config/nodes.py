"""Make the nodes, and judge them together."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

from rkx.config.addresses import fault_of_address, fault_of_name, fault_of_port, ip, is_dns_name
from rkx.config.diagnostics import Diagnostics
from rkx.config.node_names import judge_names
from rkx.config.schema.nodes import NodeKeys, TaintKeys
from rkx.config.schema.top import ClusterKeys
from rkx.config.ssh_options import transport_options
from rkx.model.node import Node, Taint

ROLE_TAINTS = ("node-role.kubernetes.io/controlplane", "node-role.kubernetes.io/etcd")
OF_KUBELET = ("kubernetes.io/hostname", "kubernetes.io/arch", "kubernetes.io/os")
LABEL_PART = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?\Z")


def make_nodes(keys: ClusterKeys, diags: Diagnostics) -> tuple[Node, ...]:
    """Make the nodes of cluster.yml; mistakes of one and of all together go into ``diags``."""
    if "nodes" in diags.broken:
        return ()
    if not keys.nodes:
        diags.error("nodes", "at least one node is needed", "nodes: [{address: ..., user: ..., role: [...]}]")
        return ()
    nodes = tuple(_node(keys, each, f"nodes[{index}]", diags) for index, each in enumerate(keys.nodes))
    _unlike(nodes, lambda node: node.address, "address", diags)
    _unlike(nodes, lambda node: node.name, "hostname_override", diags)
    _unlike(nodes, lambda node: node.internal_address, "internal_address", diags)
    judge_names(nodes, diags)
    _enough(nodes, diags)
    return nodes


def _node(keys: ClusterKeys, each: NodeKeys, where: str, diags: Diagnostics) -> Node:
    address = each.address or ""
    _judge(each, where, diags)
    return Node(
        name=(each.hostname_override or address).lower(),
        address=address,
        internal_address=each.internal_address or address,
        roles=frozenset(each.role or ()),
        labels=each.labels or MappingProxyType({}),
        taints=_taints(each.taints or (), where, diags),
        transport=each.transport or keys.transport or "ssh",
        transport_options=transport_options(keys, each, where, diags),
        where=where,
    )


def _judge(each: NodeKeys, where: str, diags: Diagnostics) -> None:
    """Judge one node's own keys."""
    for key, text in (("address", each.address), ("internal_address", each.internal_address)):
        if text and (fault := fault_of_address(text)):
            diags.error(f"{where}.{key}", *fault)
    if each.hostname_override and (fault := fault_of_name(each.hostname_override)):
        diags.error(f"{where}.hostname_override", *fault)
    found = ip(each.address or "")
    if found and found.version == 6 and not each.hostname_override:
        diags.error(f"{where}.address", "an IPv6 address is not a valid node name", "add hostname_override")
    if each.port and (wrong := fault_of_port(each.port)):
        diags.error(f"{where}.port", wrong, "1-65535")
    _judge_roles_and_labels(each, where, diags)


def _judge_roles_and_labels(each: NodeKeys, where: str, diags: Diagnostics) -> None:
    roles = each.role or ()
    for index, role in enumerate(roles):
        if role in roles[:index]:
            diags.error(f"{where}.role[{index}]", f'role "{role}" again', "name it once")
    for key, value in (each.labels or {}).items():
        if wrong := _label_fault(key, value):
            diags.error(f"{where}.labels.{key}", wrong, "at most 63 letters, digits, '-', '_', '.'")
        if key in OF_KUBELET:
            diags.error(f"{where}.labels.{key}", "the kubelet itself sets this label", "leave it out")


def _label_fault(key: str, value: str = "") -> str:
    prefix, slash, name = key.rpartition("/")
    if not name or not LABEL_PART.match(name) or (slash and not is_dns_name(prefix)):
        return f'"{key[:80]}" is not a valid label key'
    return "" if LABEL_PART.match(value) else f'"{value[:80]}" is not a valid label value'


def _taints(taints: tuple[TaintKeys, ...], where: str, diags: Diagnostics) -> tuple[Taint, ...]:
    found: dict[Taint, None] = {}
    for index, each in enumerate(taints):
        key = each.key or ""
        if key in ROLE_TAINTS:
            diags.warn(f"{where}.taints[{index}]", f'taint "{key}" follows from the role', "take it out")
            continue
        if wrong := _label_fault(key, each.value or ""):
            diags.error(f"{where}.taints[{index}]", wrong, "{key: KEY, value: VALUE, effect: NoSchedule}")
        if any((other.key, other.effect) == (key, each.effect or "NoSchedule") for other in found):
            diags.error(f"{where}.taints[{index}]", f'taint "{key}" is there with the same effect', "keep one of them")
        found[Taint(key=key, value=each.value or "", effect=each.effect or "NoSchedule")] = None
    return tuple(found)


def _unlike(nodes: tuple[Node, ...], take: Callable[[Node], Any], key: str, diags: Diagnostics) -> None:
    """Refuse two nodes that are the same in one thing; a default of another key is named by that."""
    first: dict[str, Node] = {}
    for node in nodes:
        value = take(node)
        other = first.setdefault(value, node)
        same_address = key != "address" and other.address == node.address
        if other is not node and value and not same_address:
            mine = key if diags.document.find(f"{node.where}.{key}") else "address"
            theirs = key if diags.document.find(f"{other.where}.{key}") else "address"
            place = diags.position(f"{other.where}.{theirs}")
            lowered = " in lower case" if key == "hostname_override" else ""
            message = f'"{value}" is used{lowered} by {other.where} at {place}'
            diags.error(f"{node.where}.{mine}", message, "give each node its own, or take one of them out")


def _enough(nodes: tuple[Node, ...], diags: Diagnostics) -> None:
    """Require an etcd node and a control plane node, and advise an odd number of the first."""
    roles = [role for node in nodes for role in node.roles]
    if any(not node.roles for node in nodes):
        return
    if "etcd" not in roles:
        diags.at_key("nodes", "no node has the role etcd", "1, 3 or 5 are usual")
    if "controlplane" not in roles:
        diags.at_key("nodes", "no node has the role controlplane", "give it to one node or more")
    count = roles.count("etcd")
    if count and count % 2 == 0:
        failures = (count - 1) // 2
        survive = f"survive {failures} failure{'s' * (failures > 1)}" if failures else "survive no failure"
        diags.at_key("nodes", f"{count} etcd nodes {survive}, as {count - 1} do", "1, 3 or 5 are usual", warning=True)
