"""The built-in plugins, three nodes and a whole life: up, nothing to do, a change, removal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rkx import api
from rkx.testing import FakeTransport, Request, Response, Server, World
from rkx.testing.wire import as_json

FOLDER = "/etc/kubernetes"
CLUSTER = """
transport: fake
image_layout: rkx
nodes:
- {address: 192.0.2.1, hostname_override: one, role: [controlplane, etcd]}
- {address: 192.0.2.2, hostname_override: two, role: [worker]}
- {address: 192.0.2.3, hostname_override: three, role: [worker]}
"""


def well(_request: Request) -> Response:
    return Response(body=b"ok")


def etcd(request: Request) -> Response:
    member = {"ID": "1", "name": "one", "peerURLs": ["https://192.0.2.1:2380"]}
    return as_json({"members": [member]} if request.path.endswith("/list") else {"leader": "1", "health": "true"})


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr("rkx.engine.node.program", lambda architecture: b"rkx-node")
    made = World(["one", "two", "three"], agent="kubelet")
    secure = {
        "etcd": (2379, etcd, "server"),
        "kube-apiserver": (6443, made.kube.answer, "serving"),
        "kube-controller-manager": (10257, well, "serving"),
        "kube-scheduler": (10259, well, "serving"),
    }
    plain = {"kubelet": 10248, "kube-proxy": 10256, "api-proxy": 6443, "cri-dockerd": 10010}
    made.servers = [
        *(Server(address=f"tcp:127.0.0.1:{p}", container=name, application=well) for name, p in plain.items()),
        *(
            Server(
                address=f"tcp:127.0.0.1:{port}",
                container=name,
                application=application,
                certificate=f"{FOLDER}/{name}/{file}.crt",
                key=f"{FOLDER}/{name}/{file}.key",
            )
            for name, (port, application, file) in secure.items()
        ),
    ]
    yield made
    made.close()


def test_a_clusters_whole_life(world: World, tmp_path: Path) -> None:
    file = tmp_path / "cluster.yml"
    file.write_text(CLUSTER)
    project = api.load(file, plugins=(FakeTransport(world),))
    for event in api.up(project):
        assert event.kind != "action-failed", event.as_dict()
    assert len(world.effects) > 150
    world.revive()
    api.up(project).wait()
    assert world.effects == []
    file.write_text(CLUSTER + "services: {kubeproxy: {extra_args: {v: '4'}}}\n")
    changed = api.load(file, plugins=(FakeTransport(world),))
    planned = {(action.verb, action.key.name.rpartition("/")[2]) for action in api.plan(changed).actions}
    assert {name for verb, name in planned if verb in ("replace", "restart")} == {"kube-proxy"}
    api.remove(project, api.Options(accept=lambda dangers: True)).wait()
    assert all(engine.boxes == {} for engine in world.engines.values())
