"""The built-in plugins and three nodes: a whole life, from up to removal, and machines that cannot carry a node."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from rkx import api
from rkx.errors import PreflightFailed
from rkx.testing import FakeTransport, FakeWorld, Request, Response, Server
from rkx.testing.container import Box
from rkx.testing.wire import as_json

FOLDER = "/etc/kubernetes"
FOLDERS = {"etcd": "/etc/rkx"}
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
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeWorld]:
    monkeypatch.setattr("rkx.reconcile.node_image.program", lambda architecture: b"rkx-node")
    made = FakeWorld(["one", "two", "three"], agent="kubelet")
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
                certificate=f"{FOLDERS.get(name, FOLDER)}/{name}/{file}.crt",
                key=f"{FOLDERS.get(name, FOLDER)}/{name}/{file}.key",
                authority=f"{FOLDER}/{name}/kubernetes-ca.crt" if name == "kube-apiserver" else "",
            )
            for name, (port, application, file) in secure.items()
        ),
    ]
    yield made
    made.close()


@pytest.mark.whole
def test_a_clusters_whole_life(world: FakeWorld, file: Path) -> None:
    project = api.load(file, plugins=(FakeTransport(world),))
    for event in api.up(project):
        assert event.kind != "action-failed", event.as_dict()
    assert len(world.effects) > 150
    world.revive()
    api.up(project).wait()
    assert world.effects == []
    file.write_text(CLUSTER + "services: {kubeproxy: {extra_args: {v: '4'}}}\n")
    changed = api.load(file, plugins=(FakeTransport(world),))
    planned = {(action.verb, action.key.shown_name.rpartition("/")[2]) for action in api.plan(changed).actions}
    assert {name for verb, name in planned if verb in ("replace", "restart")} == {"kube-proxy"}
    assert ("update", "kube-proxy.json") in planned  # its record, which nothing reads
    api.remove(project, api.Options(accept=lambda dangers: True)).wait()
    assert all(engine.boxes == {} for engine in world.engines.values())


AS_ROOT = "use a Docker Engine that runs as root, without user namespaces"
CANNOT = "the kubelet's privileged container cannot work there"
UNFIT: Mapping[str, tuple[dict[str, Any], str, str]] = {
    "old Docker": (
        {"ServerVersion": "19.03.15"},
        "Docker is 19.03.15 with API 1.41; 20.10 with API 1.41 is the oldest",
        "upgrade Docker on the machine",
    ),
    "old API": (
        {"ApiVersion": "1.40"},
        "Docker is 20.10.24 with API 1.40; 20.10 with API 1.41 is the oldest",
        "upgrade Docker on the machine",
    ),
    "userns": (
        {"SecurityOptions": ["name=seccomp,profile=default", "name=userns"]},
        f"Docker remaps users (userns-remap): {CANNOT}",
        AS_ROOT,
    ),
    "rootless": ({"SecurityOptions": ["name=rootless"]}, f"Docker runs rootless: {CANNOT}", AS_ROOT),
    "logging": (
        {"LoggingDriver": "journald"},
        "Docker's logging driver is journald: kubectl logs would stay empty",
        'set "log-driver": "json-file" in /etc/docker/daemon.json and restart Docker',
    ),
}
"""What Docker says of itself, what is said of that, and the hint."""


def refused(world: FakeWorld, file: Path) -> PreflightFailed:
    """Return what the machines were refused with."""
    run = api.up(api.load(file, plugins=(FakeTransport(world),)))
    list(run)
    assert isinstance(run.error, PreflightFailed), run.error
    assert run.exit_code == 6
    return run.error


@pytest.mark.parametrize("case", UNFIT)
def test_a_docker_that_cannot_carry_a_node_is_refused_with_its_value(world: FakeWorld, file: Path, case: str) -> None:
    says, message, hint = UNFIT[case]
    world.engines["two"].says.update(says)
    error = refused(world, file)
    assert (error.message, error.hint) == (f"two: {message}", hint)
    assert (world.effects, world.changes()) == ([], [])


def test_all_that_is_wrong_is_told_at_once_and_each_hint_one_time(world: FakeWorld, file: Path) -> None:
    world.engines["two"].says.update(UNFIT["rootless"][0])
    world.engines["three"].says.update(UNFIT["userns"][0] | UNFIT["logging"][0])
    error = refused(world, file)
    found = (("two", "rootless"), ("three", "userns"), ("three", "logging"))
    assert error.message == "; ".join(f"{node}: {UNFIT[case][1]}" for node, case in found)
    assert error.hint == f"{AS_ROOT}; {UNFIT['logging'][2]}"


def test_a_clock_that_is_off_is_refused_with_its_seconds(world: FakeWorld, file: Path) -> None:
    world.engines["two"].says["SystemTime"] = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    error = refused(world, file)
    assert re.fullmatch(r"two: its clock is \+3[56]\d\d s off this computer's", error.message)
    assert error.hint == "set both clocks (NTP), then run rkx again"
    assert (world.effects, world.changes()) == ([], [])


def test_a_strangers_container_is_refused_by_name_and_image(world: FakeWorld, file: Path) -> None:
    world.engines["two"].boxes["kubelet"] = Box(name="kubelet", config={"Image": "rancher/hyperkube:v1"})
    error = refused(world, file)
    assert error.message == "two: a container 'kubelet' that rkx did not make is on the machine (rancher/hyperkube:v1)"
    assert error.hint == "remove it, or take the cluster that it belongs to down first; nothing was changed"
    assert (world.effects, world.changes()) == ([], [])


@pytest.mark.whole
def test_a_port_that_another_listens_on_is_refused_with_its_address(world: FakeWorld, file: Path) -> None:
    world.machines["two"].listening.append({"proto": "tcp", "port": 10250, "address": "0.0.0.0"})
    error = refused(world, file)
    assert error.message == "two: tcp port 10250 of kubelet is taken on 0.0.0.0"
    assert error.hint == "stop what listens there, then run rkx again"
