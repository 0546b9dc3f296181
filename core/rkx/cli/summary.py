"""What stands at the end of a run that went well: where the cluster is, and how to reach it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rkx.api import Project


def summary(project: Project) -> str:
    """Name the nodes with addresses and roles, and the kubeconfig."""
    from rkx.api import kubeconfig_path

    nodes = project.cluster.nodes
    width = max(len(node.name) for node in nodes)
    lines = [f"  {node.name:<{width}}  {node.address}  {', '.join(sorted(node.roles))}" for node in nodes]
    name, path = project.cluster.name, kubeconfig_path(project)
    return "\n".join([f"{name} is up:", *lines, f"kubectl --kubeconfig {path} get nodes"])
