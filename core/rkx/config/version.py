"""Read the Kubernetes version."""

from __future__ import annotations

import re
from typing import Final

from rkx.config.diagnostics import Diagnostics
from rkx.config.schema.top import ClusterKeys

DEFAULT_KUBERNETES_VERSION: Final = "v1.34.11"
"""For public images: the newest patch of 1.34 that they were seen in."""
BUILT_KUBERNETES_VERSION: Final = "v1.34.4"
"""For images built by rkx: the newest patch of 1.34 whose Go modules are all to be had."""
OLDEST = (1, 30)
SEMVER = re.compile(r"(v?)([0-9]{1,4})\.([0-9]{1,4})\.([0-9]{1,4})(?:-rancher[0-9.-]+)?\Z")
WHERE = "kubernetes_version"


def version(keys: ClusterKeys, diags: Diagnostics) -> str:
    """Return vX.Y.Z; whether a newer one is known, and has images, is its service's business."""
    text, default = keys.kubernetes_version, _default(keys)
    if text is None or WHERE in diags.broken:
        return default
    found = SEMVER.match(text)
    if not found:
        diags.error(WHERE, f'"{text[:60]}" is not a valid version', f"want vX.Y.Z, such as {default}")
        return default
    letter, major, minor, patch = found.groups()
    plain = f"v{int(major)}.{int(minor)}.{int(patch)}"
    if not letter:
        diags.error(WHERE, f'"{text}" has no "v"', f'"{plain}"?')
    elif (int(major), int(minor)) < OLDEST:
        hint = f"upgrade an older cluster with RKE first; {default} is the default of a new one"
        diags.error(WHERE, f'"{text}" is older than 1.30', hint)
    return plain


def _default(keys: ClusterKeys) -> str:
    return BUILT_KUBERNETES_VERSION if keys.image_layout == "rkx" else DEFAULT_KUBERNETES_VERSION
