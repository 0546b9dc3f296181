"""A cluster of tiny parts in a made-up world: enough of everything that the engine handles, and no more."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath

import rkx
from rkx import api
from rkx.events import Event
from rkx.reconcile.state import State
from rkx.reconcile.state_file import StateFile
from rkx.testing import FakeTransport, FakeWorld, Server
from rkx.testing.wire import Request, Response
from rkx.testing.world import NoOptions

ROOT = PurePosixPath("/etc/tiny")
DATA = "/var/lib/tiny"
READY = "tcp:127.0.0.1:6443"
MANIFEST = """
apiVersion: v1
kind: Namespace
metadata: {name: tiny}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: tiny}
data: {colour: "%s"}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: net, namespace: tiny}
spec: {selector: {}}
"""
RIGHTS = """
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: admins}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: installer}]
"""
RIGHTS_PATH = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/admins"


def leaf(name: str, **more: object) -> rkx.identity.Identity:
    usages = frozenset({"client", "server"})
    whole = {"authority": rkx.identity.KUBERNETES_CA, "common_name": name, "usages": usages, **more}
    return rkx.identity.Identity(name=name, **whole)  # type: ignore[arg-type]


class TinyService(rkx.ServicePlugin[NoOptions]):
    """An agent on each node, a server on control planes."""

    name = "kubernetes"
    Config = NoOptions

    def __init__(self) -> None:
        super().__init__(NoOptions())
        self.flag, self.content, self.image = "--level=1", b"plain", "agent:1"
        self.token = rkx.Secret(b"token-that-must-not-show")
        self.labels = {"tiny": "yes"}
        self.taints: tuple[rkx.Taint, ...] = ()
        self.has_extra = self.keeps_data = False
        self.has_user = True
        self.leaves: tuple[str, ...] = ()
        self.patience_s = 5.0
        self.agent_probe: rkx.Probe | None = None
        self.calls: list[str] = []

    @rkx.hookimpl
    def rkx_identities(self, cluster: rkx.Cluster) -> Sequence[rkx.identity.Identity]:
        self.calls.append("rkx_identities")
        seed = rkx.identity.Identity(name="seed", kind="secret", form="seed=${secret}")
        more = [leaf(name) for name in self.leaves]
        above = leaf(rkx.identity.SUPER_ADMIN, organizations=("system:masters",))
        own = [leaf(rkx.identity.INSTALLER)] if self.has_user else []
        return [above, *own, leaf(rkx.identity.ADMIN), leaf("server", sans=("127.0.0.1",)), seed, *more]

    @rkx.hookimpl
    def rkx_service_resources(
        self,
        cluster: rkx.Cluster,
        node: rkx.Node,
        facts: rkx.Facts,
        auth: rkx.AuthSettings,
        network: rkx.NetworkSettings,
    ) -> Sequence[rkx.Resource]:
        self.calls.append(f"rkx_service_resources {node.name}")
        return [
            rkx.Folder(node=node.name, path=ROOT),
            rkx.Folder(node=node.name, path=PurePosixPath(DATA), mode=0o750),
            rkx.Folder(node=node.name, path=PurePosixPath("/var/lib/open"), mode=0o755),
            self._file(node, "config", self.content),
            self._file(node, "token", self.token),
            rkx.NodeMetadata(node=node.name, labels=self.labels, taints=self.taints),
            rkx.HostCleanup(node=node.name, name="tiny", links=("tiny0",), image="agent:1"),
            self._agent(node),
            *(self._server(node) if node.has("controlplane") else ()),
            *(self._extra(node) if self.has_extra else ()),
        ]

    def _agent(self, node: rkx.Node) -> rkx.Container:
        reaches, probe = (rkx.node_started(node.name),), self.agent_probe
        return self._container(node, "agent", self.flag, after=(rkx.API_READY,), reaches=reaches, probe=probe)

    def _server(self, node: rkx.Node) -> list[rkx.Resource]:
        whom = {
            "authority": rkx.identity.KUBERNETES_CA,
            "identity": rkx.identity.INSTALLER if self.has_user else rkx.identity.SUPER_ADMIN,
        }
        probe = rkx.Probe(address=READY, path="/readyz", timeout_s=self.patience_s, **whom)
        return [
            self._file(node, "ca.crt", rkx.CredentialRef(identity=rkx.identity.KUBERNETES_CA, what="ca-bundle")),
            self._file(node, "server.crt", rkx.CredentialRef(identity="server", what="certificate")),
            self._file(node, "server.key", rkx.CredentialRef(identity="server", what="key")),
            self._file(node, "seed", rkx.CredentialRef(identity="seed", what="rendered")),
            *([rkx.Manifest(name="rights", text=RIGHTS, after=(rkx.API_READY,), grants=True)] * self.has_user),
            self._container(
                node, "server", "--serve", probe=probe, reaches=(rkx.API_READY,), bootstrap_args=("--new",)
            ),
        ]

    @staticmethod
    def _extra(node: rkx.Node) -> list[rkx.Resource]:
        folder = PurePosixPath("/etc/extra")
        secret = rkx.File(node=node.name, path=folder / "secret", content=rkx.Secret(b"to be forgotten"))
        return [rkx.Folder(node=node.name, path=folder), secret]

    @staticmethod
    def _file(node: rkx.Node, name: str, content: bytes | rkx.CredentialRef | rkx.Secret[bytes]) -> rkx.File:
        return rkx.File(node=node.name, path=ROOT / name, content=content)

    def _container(self, node: rkx.Node, name: str, flag: str, **more: object) -> rkx.Container:
        mounts: tuple[rkx.Mount, ...] = (rkx.Mount(source=str(ROOT), target=str(ROOT), mode="ro"),)
        if self.keeps_data and name == "server":
            mounts += (rkx.Mount(source=DATA, target=DATA),)
        reads = (rkx.Read(path=ROOT),)
        return rkx.Container(
            node=node.name,
            name=name,
            image=self.image if name == "agent" else "agent:1",
            argv=(name, flag),
            mounts=mounts,
            reads=reads,
            **more,  # type: ignore[arg-type]
        )


class TinyNetwork(rkx.NetworkPlugin[NoOptions]):
    """A manifest to apply and to wait for."""

    name = "flannel"
    Config = NoOptions

    def __init__(self) -> None:
        super().__init__(NoOptions())
        self.colour, self.manifest = "blue", MANIFEST
        self.after: tuple[rkx.Milestone, ...] = (rkx.API_READY,)

    @rkx.hookimpl
    def rkx_network_settings(self, cluster: rkx.Cluster, facts: rkx.Facts) -> rkx.NetworkSettings:
        return rkx.NetworkSettings(cni="tiny", pod_cidr=cluster.pod_cidr)

    @rkx.hookimpl
    def rkx_network_resources(
        self, cluster: rkx.Cluster, facts: rkx.Facts, network: rkx.NetworkSettings
    ) -> Sequence[rkx.Resource]:
        check = rkx.HealthCheck(kind="DaemonSet", namespace="tiny", name="net")
        text = self.manifest.replace("%s", self.colour)
        return [rkx.Manifest(name="tiny", text=text, after=self.after, health_checks=(check,))]


def servers(world: FakeWorld) -> list[Server]:
    pair = {"certificate": str(ROOT / "server.crt"), "key": str(ROOT / "server.key"), "authority": str(ROOT / "ca.crt")}
    return [Server(address=READY, container="server", application=world.kube.answer, **pair)]


@dataclass
class Site:
    """A folder with cluster.yml, the world that it describes, and the plugins in use; so many nodes have role etcd."""

    folder: Path
    names: tuple[str, ...] = ("one", "two")
    etcd: int = 1
    service: TinyService = field(default_factory=TinyService)
    network: TinyNetwork = field(default_factory=TinyNetwork)
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.world = FakeWorld(self.names, agent="agent")
        self.world.servers = servers(self.world)
        self.write(self.names)

    @property
    def file(self) -> Path:
        return self.folder / "cluster.yml"

    def write(self, names: Sequence[str]) -> None:
        self.__dict__.pop("project", None)
        roles = ["controlplane, etcd, worker", *["etcd, worker"] * (self.etcd - 1), *["worker"] * len(names)]
        nodes = [
            f"- {{address: 192.0.2.{number}, hostname_override: {name}, role: [{role}]}}\n"
            for number, (name, role) in enumerate(zip(names, roles, strict=False), 1)
        ]
        self.file.write_text(
            "transport: fake\nnetwork: {plugin: flannel}\ndns: {provider: none}\nmonitoring: {provider: none}\n"
            f"ingress: {{provider: none}}\nnodes:\n{''.join(nodes)}"
        )

    @cached_property
    def project(self) -> api.Project:
        return api.load(self.file, plugins=(FakeTransport(self.world), self.service, self.network))

    @property
    def state(self) -> State:
        found = StateFile(self.folder / "cluster.rkxstate").load()
        assert found is not None
        return found

    def up(self, *unreachable: str) -> api.Run:
        return self.ended(api.up(self.project, api.Options(allow_unreachable=frozenset(unreachable))))

    def done(self) -> None:
        """Bring the cluster up; anything that goes wrong is raised."""
        self.up().wait()

    def remove(self) -> api.Run:
        return self.ended(api.remove(self.project, api.Options(accept=lambda dangers: True)))

    def ended(self, run: api.Run) -> api.Run:
        """Read a run's events to the end; where the world dies, the run dies with it."""
        if self.world.cut:
            threading.Thread(target=self._follow, args=(run,), daemon=True).start()
        self.events += list(run)
        return run

    def _follow(self, run: api.Run) -> None:
        self.world.died.wait()
        run.cancel()

    def plan(self) -> rkx.Plan:
        return api.plan(self.project)

    def planned(self) -> list[tuple[str, str, str]]:
        """Return verb, key and reason of each action that a plan has."""
        return [(action.verb, str(action.key), action.reason) for action in self.plan().actions]


def silent(_request: Request) -> Response:
    return Response(status=503, body=b"not now")
