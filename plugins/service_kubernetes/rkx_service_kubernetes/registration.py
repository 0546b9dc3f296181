"""What a node's roles mean in the cluster: labels and taints."""

from __future__ import annotations

import rkx

PREFIX = "node-role.kubernetes.io"
SPELLINGS = {"controlplane": ("controlplane", "control-plane"), "etcd": ("etcd",), "worker": ("worker",)}
"""RKE writes controlplane, all others control-plane: a node carries both."""


def labels(node: rkx.Node) -> dict[str, str]:
    """Return a label per role and spelling, then the node's own; a kubelet may not set the former itself."""
    spelled = [name for role, names in SPELLINGS.items() if role in node.roles for name in names]
    return {f"{PREFIX}/{name}": "true" for name in spelled} | dict(node.labels)


def taints(node: rkx.Node) -> tuple[rkx.Taint, ...]:
    """Keep pods off nodes that are no workers, as RKE does, then add the node's own."""
    found: tuple[rkx.Taint, ...] = ()
    if not node.has("worker") and node.has("controlplane"):
        found += (rkx.Taint(key=f"{PREFIX}/controlplane", value="true"), rkx.Taint(key=f"{PREFIX}/control-plane"))
    if not node.has("worker") and node.has("etcd"):
        found += (rkx.Taint(key=f"{PREFIX}/etcd", value="true", effect="NoExecute"),)
    return tuple(dict.fromkeys((*found, *node.taints)))


def registration(node: rkx.Node) -> rkx.NodeMetadata:
    """Describe the Node object."""
    return rkx.NodeMetadata(node=node.name, labels=labels(node), taints=taints(node))
