"""Which image each container takes, by version and layout."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

import rkx
from rkx_service_kubernetes.config import KubernetesConfig

RETIRED = ("gcr.io/google_containers/pause", "k8s.gcr.io/pause")
"""Addresses of the pause image that no longer answer."""


class Images(msgspec.Struct, frozen=True, kw_only=True):
    """The image of each part."""

    kubernetes: str
    etcd: str
    tools: str
    proxy: str
    pause: str


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath("catalogue.toml").read_text())


def default(cluster: rkx.Cluster, part: str) -> str:
    """Find the catalogue's image for ``part``; empty where it has none for this version."""
    layout = _table()[cluster.image_layout]
    if part == "kubernetes":
        return str(layout["kubernetes"].get(cluster.kubernetes_version, ""))
    return str(layout.get(part) or layout["minor"].get(str(cluster.minor), {}).get(part, ""))


def versions(cluster: rkx.Cluster) -> tuple[str, ...]:
    """List the Kubernetes versions that the cluster's layout has images for."""
    return tuple(_table()[cluster.image_layout]["kubernetes"])


def minors() -> frozenset[int]:
    """Return the minors of Kubernetes 1 whose rules are known; not each has an image of Kubernetes."""
    return frozenset(int(minor) for minor in _table()["public"]["minor"])


def is_retired(image: str) -> bool:
    """Return whether an address is one of the pause image that no longer answers."""
    return image.startswith(RETIRED)


def images(cluster: rkx.Cluster, config: KubernetesConfig) -> Images:
    """Choose the images: what cluster.yml names goes before the catalogue."""
    pause = config.kubelet.infra_container_image
    if not pause or is_retired(pause):
        pause = cluster.image("pod_infra_container", default(cluster, "pause"))
    return Images(
        kubernetes=cluster.image("kubernetes", default(cluster, "kubernetes")),
        etcd=cluster.image("etcd", default(cluster, "etcd")),
        tools=cluster.image("kubernetes_services_sidecar", default(cluster, "tools")),
        proxy=cluster.image("nginx_proxy", default(cluster, "proxy")),
        pause=pause,
    )
