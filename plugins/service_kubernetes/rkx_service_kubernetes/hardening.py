"""What ``profile: cis`` asks for beyond the defaults, and what cluster.yml or a machine has against it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import rkx
from rkx_service_kubernetes.config import KubeApi, KubernetesConfig

BUILT_IN = ("default", "kube-node-lease", "kube-public", "kube-system")
"""The namespaces that each API server makes by itself."""
KERNEL: Mapping[str, str] = {
    "kernel.keys.root_maxbytes": "25000000",
    "kernel.keys.root_maxkeys": "1000000",
    "kernel.panic": "10",
    "kernel.panic_on_oops": "1",
    "vm.overcommit_memory": "1",
    "vm.panic_on_oom": "0",
}
"""The kernel's settings without which a kubelet does not start that may not set them itself."""


SYSCTLS = "/etc/sysctl.d/90-kubelet.conf"


def is_cis(cluster: rkx.Cluster) -> bool:
    """Return whether the cluster is held to the CIS benchmark."""
    return cluster.profile == "cis"


def pod_security(cluster: rkx.Cluster, config: KubeApi) -> str:
    """Return the level of Pod Security that holds where a namespace names none."""
    return config.pod_security_configuration or ("restricted" if is_cis(cluster) else "privileged")


def always_pulls(cluster: rkx.Cluster, config: KubeApi) -> bool:
    """Return whether each pod's images are always pulled, so that no pod runs an image that only others may pull."""
    return is_cis(cluster) if config.always_pull_images is None else config.always_pull_images


def without_tokens(cluster: rkx.Cluster) -> tuple[str, ...]:
    """List the namespaces whose default account gives pods no token."""
    return BUILT_IN if is_cis(cluster) else ("kube-system",)


def findings(cluster: rkx.Cluster, node: rkx.Node, facts: rkx.NodeFacts) -> Iterator[rkx.Finding]:
    """Find settings of the kernel that a kubelet with ``protectKernelDefaults`` would not start with."""
    if not is_cis(cluster) or facts.host is None:
        return
    for name, wanted in KERNEL.items():
        found = facts.host.sysctls.get(name)
        if found not in (None, wanted):
            yield rkx.Finding(
                node=node.name,
                check="kernel settings",
                message=f"{name} is {found}; profile cis wants {wanted}",
                hint=f"put these into {SYSCTLS}, run sysctl --system, and rkx up, which asks again: {_lines()}",
            )


def _lines() -> str:
    return ", ".join(f"{name}={wanted}" for name, wanted in KERNEL.items())


def problems(cluster: rkx.Cluster, config: KubernetesConfig) -> Iterator[rkx.Problem]:
    """Find what cluster.yml itself says against its profile: it is done, and no longer silently."""
    api = config.kube_api
    if not is_cis(cluster):
        return
    against = {
        "always_pull_images": api.always_pull_images is False,
        "audit_log.enabled": not api.audit_log.enabled,
        "event_rate_limit.enabled": not api.event_rate_limit.enabled,
        "pod_security_configuration": api.pod_security_configuration == "privileged",
        "secrets_encryption_config.enabled": not api.secrets_encryption_config.enabled,
    }
    for key in [key for key, is_against in against.items() if is_against]:
        yield rkx.Problem(
            where=f"services.kube-api.{key}",
            message="goes against profile cis, whose checks will fail for it",
            hint="take it out, or the profile",
            warning=True,
        )
