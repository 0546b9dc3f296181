"""What services must know of the network and of authentication."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from rkx.model.cluster import EMPTY
from rkx.model.resource import File


class NetworkSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Ranges, kube-proxy's mode (None: no kube-proxy), who allots node ranges, what the kubelet must see.

    ``sysctls`` and ``modules`` are set at each boot by the containers that need them. ``binds`` are host folders that
    the kubelet and its runtime get besides their own. ``enforces_policies`` says that NetworkPolicies have effect.
    """

    cni: str
    pod_cidr: str
    kube_proxy_mode: str | None = "iptables"
    allocate_node_cidrs: bool = True
    binds: tuple[str, ...] = ()
    enforces_policies: bool = False
    modules: tuple[str, ...] = ()
    sysctls: Mapping[str, str] = EMPTY


class AuthSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Arguments and files that authentication adds to the API server, which mounts the files' folders.

    ``node_signer`` names the authority whose key may lie on control plane nodes, to sign there what nodes ask for when
    their client certificates near their end; empty where there is none, and then nodes keep what was issued for them.
    """

    arguments: Mapping[str, str] = EMPTY
    files: tuple[File, ...] = ()
    node_signer: str = ""
