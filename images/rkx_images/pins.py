"""Say which images were built, by digest, in the words of cluster.yml."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from rkx_images import archive
from rkx_images.catalogue import Image

KEYS: Mapping[str, tuple[str, ...]] = {
    "kubernetes": ("kubernetes",),
    "etcd": ("etcd",),
    "tools": ("kubernetes_services_sidecar", "nginx_proxy"),
    "pause": ("pod_infra_container",),
    "flannel": ("flannel",),
    "coredns": ("coredns",),
    "metrics-server": ("metrics_server",),
}
"""Where each image stands under `system_images`; the others are no part of a cluster."""


def lines(registry: str, built: Iterable[tuple[Image, Path]]) -> Iterator[str]:
    """Write `system_images` for archives that are put into this registry as they are, byte for byte."""
    yield "system_images:"
    for image, path in built:
        for key in KEYS.get(image.name, ()):
            yield f"  {key}: {registry}/{image.reference}@{archive.digest_of(path)}"
