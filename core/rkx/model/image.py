"""Names of images: as cluster.yml writes them, and as the Engine lists them."""

from __future__ import annotations

import re

import msgspec

DIGEST = re.compile(r"sha256:[0-9a-f]{64}\Z")
HUB = re.compile(r"(docker\.io/library/|docker\.io/|library/)")


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """An image's name in its parts; ``tag`` and ``digest`` are empty where none is written."""

    repository: str
    tag: str = ""
    digest: str = ""


def reference(image: str) -> Reference:
    """Take a name such as ``registry:5000/etcd:v3@sha256:...`` apart."""
    name, _, digest = image.partition("@")
    repository, _, tag = name.rpartition(":")
    if not repository or "/" in tag:
        repository, tag = name, ""
    return Reference(repository=repository, tag=tag, digest=digest)


def listed(image: str) -> str:
    """Return the name under which an Engine lists the image: by its digest if it has one, the tag says nothing then."""
    parts = reference(image)
    repository = HUB.sub("", parts.repository, count=1) if HUB.match(parts.repository) else parts.repository
    return f"{repository}@{parts.digest}" if parts.digest else f"{repository}:{parts.tag or 'latest'}"


def is_well_pinned(image: str) -> bool:
    """Return whether what follows an ``@`` is a digest; a name without one is well too."""
    _, at, digest = image.partition("@")
    return not at or DIGEST.match(digest) is not None
