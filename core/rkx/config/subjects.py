"""Judge what certificates will hold, while the file is all there is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rkx.config.document import Document
from rkx.errors import Problem
from rkx.model.cluster import Cluster
from rkx.model.identity import Identity
from rkx.model.node import Node

LONGEST = 64
"""Characters that a common name may have: RFC 5280, ub-common-name."""


def too_long(identities: Iterable[Identity], cluster: Cluster, document: Document) -> Iterator[Problem]:
    """Find the nodes whose names make the common name of a certificate too long; each node once, by its longest."""
    longest: dict[str, str] = {}
    for each in identities:
        if each.node and len(each.common_name) > max(LONGEST, len(longest.get(each.node, ""))):
            longest[each.node] = each.common_name
    return (_problem(node, longest[node.name], document) for node in cluster.nodes if node.name in longest)


def _problem(node: Node, common_name: str, document: Document) -> Problem:
    over = len(common_name) - LONGEST
    return Problem(
        where=name_place(node, document),
        message=f'"{common_name}", the name in its certificate, has {len(common_name)} characters, {LONGEST} fit',
        hint=f"a hostname_override of at most {len(node.name) - over} characters",
    )


def name_place(node: Node, document: Document) -> str:
    """Return the path of what names a node: its address where nothing else does."""
    override = f"{node.where}.hostname_override"
    return override if document.find(override) is not None else f"{node.where}.address"
