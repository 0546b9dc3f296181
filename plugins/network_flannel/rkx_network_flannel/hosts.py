"""What flannel has on each machine: its CNI configuration, and what its parts leave behind."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import Any

import rkx
from rkx_network_flannel.config import FlannelConfig

CNI_FOLDER = PurePosixPath("/etc/cni/net.d")
BRIDGE_NETWORK = "cbr0"


def host_resources(config: FlannelConfig, node: str, pod_cidr: str) -> list[rkx.Resource]:
    """Describe one node's folder, file and leaves."""
    leaves = rkx.HostCleanup(
        node=node,
        name="flannel",
        links=(f"flannel.{config.backend_vni}", "cni0"),
        chains=("FLANNEL-", "CNI-"),
        comments=("flanneld ",),
        routes=(pod_cidr,),
        paths=(
            "/run/flannel",
            f"/var/lib/cni/networks/{BRIDGE_NETWORK}",
            "/var/lib/cni/flannel",
            "/var/lib/cni/results",
        ),
    )
    file = rkx.File(node=node, path=CNI_FOLDER / "10-flannel.conflist", content=_conflist(config), mode=0o600)
    return [rkx.Folder(node=node, path=CNI_FOLDER, mode=0o700), file, leaves]


def _conflist(config: FlannelConfig) -> bytes:
    delegate: dict[str, Any] = {"hairpinMode": True, "isDefaultGateway": True}
    if config.mtu:
        delegate["mtu"] = config.mtu
    plugins = [
        {"type": "flannel", "delegate": delegate},
        {"type": "portmap", "capabilities": {"portMappings": True}},
    ]
    written = {"name": BRIDGE_NETWORK, "cniVersion": "0.3.1", "plugins": plugins}
    return (json.dumps(written, indent=2) + "\n").encode()
