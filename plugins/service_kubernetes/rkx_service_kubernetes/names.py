"""Names that no machine may have, since its kubelet's certificate would hold them."""

from __future__ import annotations

from collections.abc import Iterator

import rkx


def problems(cluster: rkx.Cluster) -> Iterator[rkx.Problem]:
    """Find nodes that are called, or reached, as the API server or a Service is inside the cluster."""
    for node in cluster.nodes:
        named = "address" if node.name == node.address.lower() else "hostname_override"
        for key, name in {named: node.name, "address": node.address, "internal_address": node.internal_address}.items():
            if key == "internal_address" and name == node.address:
                continue
            if wrong := _fault(name.lower(), cluster.dns_domain.lower()):
                hint = "call the machine, and reach it, by a name of its own"
                yield rkx.Problem(where=f"{node.where}.{key}", message=f'"{name}" {wrong}', hint=hint)


def _fault(name: str, domain: str) -> str:
    labels = f"kubernetes.default.svc.{domain}".split(".")
    if name in {".".join(labels[:count]) for count in range(1, len(labels) + 1)}:
        return "is the API server's name inside the cluster"
    if name == domain or name.endswith((f".{domain}", ".svc")):
        return f"lies in the cluster's own domain, {domain}: there, names are those of Services"
    return ""
