"""The summary of a successful run: where the cluster is, and how to reach it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rkx.api import Project


def summary(project: Project) -> str:
    """Name the nodes with addresses and roles, the kubeconfig, and until when certificates are valid."""
    from rkx.api import first_ends, kubeconfig_path

    nodes = project.cluster.nodes
    width = max(len(node.name) for node in nodes)
    lines = [f"  {node.name:<{width}}  {node.address}  {', '.join(sorted(node.roles))}" for node in nodes]
    name, path = project.cluster.name, kubeconfig_path(project)
    ends = [f"{each.name} until {each.at:%Y-%m-%d}" for each in first_ends(project)]
    last = [f"valid: {', '.join(ends)}"] if ends else []
    return "\n".join([f"{name} is up:", *lines, f"kubectl --kubeconfig {path} get nodes", *last])
