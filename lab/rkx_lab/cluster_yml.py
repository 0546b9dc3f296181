"""Write a cluster.yml for the machines of a lab."""

from typing import Any

import yaml

from rkx_lab.state import Lab

# What a machine that is a container needs; real machines keep the defaults.
KUBE_PROXY = {"conntrack-max-per-core": "0"}  # nf_conntrack_max is read-only outside the first network namespace
KUBELET = {  # the computer's own disk, however full it is, shall not drive pods away
    "image-gc-high-threshold": "100",
    "eviction-hard": "nodefs.available<0%,nodefs.inodesFree<0%,imagefs.available<0%",
}


def render(lab: Lab, *, user: str = "root") -> str:
    """Return the text: the first machine is control plane and etcd, the others are workers."""
    return yaml.safe_dump(values(lab, user=user), sort_keys=False, width=120)


def values(lab: Lab, *, user: str = "root") -> dict[str, Any]:
    """Return the same as a mapping, for tests that change some of it."""
    return {
        "cluster_name": lab.name,
        "nodes": [
            {
                "address": machine.address,
                "hostname_override": machine.name,
                "user": user,
                "role": ["worker"] if number else ["controlplane", "etcd"],
            }
            for number, machine in enumerate(lab.machines)
        ],
        "ssh_key_path": str(lab.key),
        "transport_options": {"known_hosts": str(lab.known_hosts)},
        "image_layout": "rkx",
        "private_registries": [{"url": lab.registry, "is_default": True}],
        "network": {"plugin": "flannel"},
        "services": {
            "kubelet": {"fail_swap_on": False, "extra_args": dict(KUBELET)},
            "kubeproxy": {"extra_args": dict(KUBE_PROXY)},
        },
    }
