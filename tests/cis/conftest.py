"""A cluster as rkx describes it, as evidence: what every plugin wants, and what Kubernetes makes by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import rkx
from rkx import api
from rkx.reconcile.desired import Desired, describe_cluster
from rkx.reconcile.state import new_state
from rkx.testing import FakeTransport, FakeWorld
from rkx_cis.checks import Profile
from rkx_cis.evidence import Entry, Evidence, Machine, Object, Process
from rkx_cis.gather import PROGRAMS, TEXTS
from rkx_cis.servers import ENCRYPTION

CLUSTER = """
transport: fake
image_layout: rkx
nodes:
- {address: 192.0.2.1, hostname_override: one, role: [controlplane, etcd]}
- {address: 192.0.2.2, hostname_override: two, role: [worker]}
"""
LEASE = "/var/lib/cni/networks/cbr0/10.42.0.2"
BOOTSTRAP = {"labels": {"kubernetes.io/bootstrapping": "rbac-defaults"}}
EVERYTHING = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}


def wanted(profile: Profile, folder: Path) -> Desired:
    """Ask the built-in plugins for all that a cluster of two machines is."""
    file = folder / f"{profile}.yml"
    file.write_text(CLUSTER + ("" if profile == "default" else f"profile: {profile}\n"))
    project = api.load(file, plugins=(FakeTransport(FakeWorld([])),))
    sample = rkx.NodeFacts(engine_id="", engine_version="20.10.24", api_version="1.41", host=rkx.HostFacts())
    facts = {node.name: sample for node in project.cluster.nodes}
    return describe_cluster(project.plugins, project.cluster, facts, new_state(), datetime.now(UTC))


def evidence(desired: Desired) -> Evidence:
    """Show it as it would be found on machines."""
    return Evidence(
        machines=[_machine(desired, node) for node in desired.cluster.nodes],
        objects=_objects(desired),
        kubeconfig=Entry(mode=0o600, owner="1000:1000"),
    )


def _machine(desired: Desired, node: rkx.Node) -> Machine:
    found = desired.on(node.name)
    files = [each for each in found if isinstance(each, rkx.File)]
    texts = {str(each.path): each.content.decode() for each in files if isinstance(each.content, bytes)}
    return Machine(
        name=node.name,
        roles=node.roles,
        processes={c.name: _process(c) for c in found if isinstance(c, rkx.Container) and c.name in PROGRAMS},
        files={**dict(_entries(found)), LEASE: Entry(mode=0o644, owner="root:root")},
        texts={path: texts[path] for path in TEXTS if path in texts}
        | ({ENCRYPTION: "secretbox\nidentity\n"} if node.has("controlplane") else {}),
    )


def _process(container: rkx.Container) -> Process:
    words = (*container.argv, *container.bootstrap_args)
    start = words.index("--") + 1 if "--" in words else 0
    return Process(arguments=words[start + 1 :], owner=container.user or "0:0")


def _entries(found: list[rkx.Resource]) -> Iterator[tuple[str, Entry]]:
    for each in found:
        if isinstance(each, rkx.File | rkx.Folder) and (isinstance(each, rkx.File) or "/cni" not in str(each.path)):
            owner = "root:root" if (each.uid, each.gid) == (0, 0) else f"{each.uid}:{each.gid}"
            yield str(each.path), Entry(mode=each.mode, owner=owner, folder=isinstance(each, rkx.Folder))


def _objects(desired: Desired) -> Mapping[str, list[Object]]:
    bodies = [each.body for each in desired.objects.values()]
    kinds = {kind: [body for body in bodies if f"{body['kind'].lower()}s" == kind] for kind in KINDS}
    admin: dict[str, Any] = {"metadata": {"name": "cluster-admin", **BOOTSTRAP}}
    kinds["clusterroles"] += [{**admin, "rules": [EVERYTHING]}]
    kinds["clusterrolebindings"] += [{**admin, "roleRef": {"name": "cluster-admin"}}]
    theirs = {(body["metadata"]["namespace"], body["metadata"]["name"]) for body in kinds["serviceaccounts"]}
    made = {(name, "default") for name in ("default", "kube-node-lease", "kube-public", "kube-system")} - theirs
    kinds["serviceaccounts"] += [{"metadata": {"namespace": space, "name": name}} for space, name in sorted(made)]
    workloads = [body for body in bodies if body["kind"] in ("Deployment", "DaemonSet")]
    kinds["pods"] = [{"metadata": body["metadata"], "spec": body["spec"]["template"]["spec"]} for body in workloads]
    return kinds


KINDS = ("clusterrolebindings", "clusterroles", "roles", "serviceaccounts", "pods")
