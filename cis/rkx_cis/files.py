"""Section 1.1: files of the control plane and of etcd."""

from __future__ import annotations

from collections.abc import Iterator

from rkx_cis.check import Check, scored, unscored
from rkx_cis.evidence import Evidence, Machine, Role, Verdict, judged
from rkx_cis.look import every, mode, owner

ETC = "/etc/kubernetes"
RECORDS = f"{ETC}/records"
DATA = "/var/lib/etcd"
CNI = ("/etc/cni/net.d/*", "/var/lib/cni/networks/*")
ROOT = "root:root"
PARTS: tuple[tuple[str, Role], ...] = (
    ("kube-apiserver", "controlplane"),
    ("kube-controller-manager", "controlplane"),
    ("kube-scheduler", "controlplane"),
    ("etcd", "etcd"),
)


def _records() -> Iterator[Check]:
    """Return the checks of each component's own description, which here is its record."""
    for number, (name, role) in enumerate(PARTS):
        path, first = f"{RECORDS}/{name}.json", 2 * number + 1
        yield scored(f"1.1.{first}", f"{name}'s record is 600 or less", every(role, mode(0o600, path)))
        yield scored(f"1.1.{first + 1}", f"{name}'s record is root's", every(role, owner(ROOT, path)))


def _kubeconfigs() -> Iterator[Check]:
    """Return the checks of the credentials of scheduler and controller manager."""
    for first, name in ((15, "kube-scheduler"), (17, "kube-controller-manager")):
        path = f"{ETC}/{name}/kubeconfig"
        yield scored(f"1.1.{first}", f"{name}'s kubeconfig is 600 or less", every("controlplane", mode(0o600, path)))
        yield scored(f"1.1.{first + 1}", f"{name}'s kubeconfig is root's", every("controlplane", owner(ROOT, path)))


def _data_owner(machine: Machine) -> Verdict:
    """Want etcd's data in the hands of etcd's own user: called so, or a number that no account of the machine has."""
    entry, process = machine.files.get(DATA), machine.processes.get("etcd")
    if entry is None or process is None:
        return judged(False, f"no {DATA}" if entry is None else "etcd does not run")
    named = entry.owner == "etcd:etcd"
    nobodys = entry.owner == process.owner and "0" not in process.owner.split(":")
    seen = f"{DATA} is {entry.owner}, etcd runs as {process.owner}"
    return judged(named or nobodys, seen if named else f"{seen}, no account has the number" if nobodys else seen)


def _admin_mode(evidence: Evidence) -> Verdict:
    """Want the administrator's kubeconfig closed: on no machine, and 600 where the operator keeps it."""
    found = every(None, mode(0o600, f"{ETC}/*admin.conf", needed=False))(evidence)
    entry = evidence.kubeconfig
    if found.result == "fail" or entry is None:
        return judged(False, found.seen if found.result == "fail" else "the operator has no kubeconfig")
    return judged(not entry.mode & 0o177, f"on no machine; the operator's is {entry.mode:o}")


def _admin_owner(evidence: Evidence) -> Verdict:
    """Want the administrator's kubeconfig to be root's on machines: there is none."""
    return every(None, owner(ROOT, f"{ETC}/*admin.conf", needed=False))(evidence)


CHECKS = (
    *_records(),
    unscored("1.1.9", "CNI's files are 600 or less", every(None, mode(0o600, *CNI))),
    unscored("1.1.10", "CNI's files are root's", every(None, owner(ROOT, *CNI))),
    scored("1.1.11", "etcd's data is 700 or less", every("etcd", mode(0o700, DATA))),
    scored("1.1.12", "etcd's data is etcd's", every("etcd", _data_owner)),
    scored("1.1.13", "the administrator's kubeconfig is 600 or less", _admin_mode),
    scored("1.1.14", "the administrator's kubeconfig is root's", _admin_owner),
    *_kubeconfigs(),
    scored("1.1.19", "keys and certificates are root's", every("controlplane", owner(ROOT, ETC, f"{ETC}/*"))),
    unscored("1.1.20", "certificates are 644 or less", every("controlplane", mode(0o644, f"{ETC}/*.crt"))),
    unscored("1.1.21", "keys are 600 or less", every("controlplane", mode(0o600, f"{ETC}/*.key"))),
)
