"""Gather evidence of a cluster on machines of the lab: files, processes and objects, reading alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from rkx_cis.evidence import Entry, Evidence, Machine, Object, Process
from rkx_cis.policies import ADMISSION
from rkx_cis.servers import ENCRYPTION
from rkx_cis.workers import CONFIG, PROXY
from rkx_lab import inside
from rkx_lab.state import Lab

KUBECONFIG = "kube_config_cluster.yml"
KINDS = ("clusterrolebindings", "clusterroles", "roles", "serviceaccounts", "pods")
PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy")
TEXTS = (CONFIG, f"{PROXY}/config.yaml", ADMISSION)
UNIT = "\x1f"
PROCESSES = (
    "for p in /proc/[0-9]*; do "
    r"""printf '%s\037%s\n' "$(stat -c %u:%g $p)" "$(tr '\0\n' '\037 ' <$p/cmdline)"; done 2>/dev/null; true"""
)
FORM = r"-printf '%m %u:%g %y %p\n' 2>/dev/null"
FILES = (
    f"find /etc/kubernetes /etc/rkx {FORM}; find /var/lib/etcd -maxdepth 0 {FORM}; "
    f"find /etc/cni/net.d /var/lib/cni/networks -type f {FORM}; true"
)
PROVIDERS = f"""grep -oE '(secretbox|aescbc|aesgcm|kms|identity)"?:' {ENCRYPTION} 2>/dev/null | tr -d ':"' || true"""
"""The names of the providers: the file itself holds keys, which are nobody's evidence."""


def evidence(lab: Lab, cluster: Path, listed: Callable[[str], Sequence[Object]]) -> Evidence:
    """Gather all that the checks look at.

    ``cluster`` is the cluster.yml, its kubeconfig lies beside it; ``listed`` gives all objects of a kind.
    """
    nodes = yaml.safe_load(cluster.read_text())["nodes"]
    found = cluster.with_name(KUBECONFIG).stat()
    return Evidence(
        machines=[_machine(lab, node["hostname_override"], node["role"]) for node in nodes],
        objects={kind: listed(kind) for kind in KINDS},
        kubeconfig=Entry(mode=found.st_mode & 0o7777, owner=f"{found.st_uid}:{found.st_gid}"),
    )


def _machine(lab: Lab, name: str, roles: Sequence[Any]) -> Machine:
    texts = {path: inside.run(lab, name, "sh", "-c", f"cat {path} 2>/dev/null || true") for path in TEXTS}
    texts[ENCRYPTION] = inside.run(lab, name, "sh", "-c", PROVIDERS)
    return Machine(
        name=name,
        roles=frozenset(roles),
        processes=dict(processes(inside.run(lab, name, "sh", "-c", PROCESSES))),
        files=dict(files(inside.run(lab, name, "sh", "-c", FILES))),
        texts={path: text for path, text in texts.items() if text},
    )


def processes(text: str) -> Iterator[tuple[str, Process]]:
    """Read owner and command line of each process."""
    for line in text.splitlines():
        owner, *words = line.rstrip(UNIT).split(UNIT)
        name = PurePosixPath(words[0]).name if words else ""
        if name in PROGRAMS:
            yield name, Process(arguments=tuple(words[1:]), owner=owner)


def files(text: str) -> Iterator[tuple[str, Entry]]:
    """Read mode, owner, type and path of each file."""
    for line in text.splitlines():
        mode, owner, kind, path = line.split(" ", 3)
        yield path, Entry(mode=int(mode, 8), owner=owner, folder=kind == "d")
