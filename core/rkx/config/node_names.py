"""Judge names of nodes that would speak for something else: certificates are made of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from rkx.config.addresses import ip
from rkx.config.diagnostics import Diagnostics
from rkx.model.node import Node

Owners = dict[str, list[tuple[Node, str]]]
HERE = ("localhost", "localhost.localdomain")


def judge_names(nodes: tuple[Node, ...], diags: Diagnostics) -> None:
    """Refuse names of this very machine, and addresses that are not the node's own."""
    owners = _owners(nodes)
    for node in nodes:
        override = diags.document.find(f"{node.where}.hostname_override") is not None
        where = f"{node.where}.{'hostname_override' if override else 'address'}"
        if node.name and (wrong := _fault(node, owners, diags)):
            diags.error(where, f'"{node.name}" {wrong}', "give it a hostname_override that is its own")


def _owners(nodes: Iterable[Node]) -> Owners:
    """Return the nodes whose addresses read so, and under which key, in the file's order."""
    owners: Owners = defaultdict(list)
    for node in nodes:
        owners[node.address.lower()].append((node, "address"))
        owners[node.internal_address.lower()].append((node, "internal_address"))
    return owners


def _fault(node: Node, owners: Owners, diags: Diagnostics) -> str:
    """Say what else a node's name means; empty if nothing."""
    number = ip(node.name)
    if node.name in HERE or node.name.endswith(".localhost") or (number and number.is_loopback):
        return "is not a valid node name: on every machine it means that machine"
    for other, key in owners.get(node.name, ()):
        if other.name != node.name:
            place = key if diags.document.find(f"{other.where}.{key}") is not None else "address"
            return f"is an address of {other.where} at {diags.position(f'{other.where}.{place}')}"
    if number and node.name not in (node.address, node.internal_address):
        return "is an address, but none of this node"
    return ""
