"""A run that fails half-way says what and where, leaves nothing half-made, and the next run finishes it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from typing import Any

import pytest
from harness import Cluster
from lone import of_one, one_message, rewrite, spare

from rkx.reconcile.layout import STATE_COPY
from rkx_lab import disks
from rkx_lab.slow_link import Line, SlowLink
from rkx_lab.state import Lab

__all__ = ["spare"]  # a fixture
pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]
CONFIGURATION = "/etc/kubernetes"
DATA, ASIDE = "/var/lib/etcd", "/srv/aside"
PROGRAM_FOLDER = "/var/lib/rkx"
NO_IMAGE = "rkx/kubernetes:v0.0.0"


@pytest.fixture(scope="module")
def single(lab: Lab, spare: str, tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    """A cluster of one machine, for all tests of this file; each brings it up, which is quick where it stands."""
    return of_one(lab, spare, tmp_path_factory.mktemp("single"))


@contextmanager
def behind(cluster: Cluster, link: SlowLink) -> Iterator[None]:
    """Have rkx reach the machine through a link for a while."""
    keys = [line.split(" ", 1)[1] for line in cluster.lab.known_hosts.read_text().splitlines()]
    known = cluster.folder / "known_hosts"
    known.write_text("".join(f"[{link.address}]:{link.port} {key}\n" for key in keys))
    address = cluster.machines[0].address

    def through(values: dict[str, object]) -> None:
        values["transport_options"] = {"known_hosts": str(known)}
        node = cluster.values["nodes"][0]
        values["nodes"] = [{**node, "address": link.address, "port": link.port, "internal_address": address}]

    with link, cluster.edited(through):
        yield


def half_files(cluster: Cluster) -> str:
    """List what a torn write would leave: files under names of their own beside the real ones."""
    own = f"-name '.*' ! -name {disks.FILLER}"
    script = f"find {CONFIGURATION} {PROGRAM_FOLDER} -type f {own} 2>/dev/null || true"
    return cluster.on(cluster.machines[0].name, "sh", "-c", script)


def with_big_file(values: dict[str, Any]) -> None:
    """Have an API server's audit policy be half a megabyte and more."""
    quiet = {"level": "None", "users": [f"nobody-{number:06}" for number in range(30_000)]}
    policy = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": [quiet, {"level": "Metadata"}]}
    values["services"]["kube-api"] = {"audit_log": {"enabled": True, "configuration": {"policy": policy}}}


def test_connection_cut_in_a_file_is_told_and_leaves_no_half_file(single: Cluster) -> None:
    program = resources.files("rkx.reconcile").joinpath("bin/rkx-node-amd64").read_bytes()
    # first the image goes over, some per cent more than the program in it, then the files: cut in the middle of these
    link = SlowLink((single.machines[0].address, 22), Line(cut_after=int(len(program) * 1.08)))
    with behind(single, link), single.edited(with_big_file):
        one_message(single.rkx("up", "--plain"), 7, single.machines[0].name, "stream to rkx-node", "run rkx again")
    whole = f"! -name fence ! -path {STATE_COPY}"  # which run was here last, and its state: whole before the files go
    script = f"find {PROGRAM_FOLDER} {CONFIGURATION} -type f {whole} -exec stat -c %s {{}} + 2>/dev/null || true"
    assert single.on(single.machines[0].name, "sh", "-c", script).split() == [str(len(program))]
    assert half_files(single) == ""


def test_full_disk_is_told_and_leaves_no_half_file(single: Cluster) -> None:
    machine = single.machines[0].name
    disks.fill(single.lab, machine, CONFIGURATION)
    try:
        one_message(single.rkx("up", "--plain"), 7, machine, f"{CONFIGURATION}/", "ENOSPC", "make room")
        assert half_files(single) == ""
    finally:
        disks.free(single.lab, machine, CONFIGURATION)


def test_image_that_cannot_be_pulled_is_told_and_the_next_run_finishes_all(single: Cluster) -> None:
    machine = single.machines[0].name
    image = f"{single.lab.registry}/{NO_IMAGE}"
    with single.edited(lambda values: values.update({"system_images": {"kubernetes": image}})):
        one_message(single.rkx("up", "--plain"), 7, machine, image, "manifest unknown")
    single.rkx("up", "--plain").check()
    assert single.plan()["actions"] == []
    (node,) = single.objects("nodes")
    assert {"type": "Ready", "status": "True"}.items() <= next(
        condition for condition in node["status"]["conditions"] if condition["type"] == "Ready"
    ).items()


def test_containers_of_another_cluster_beside_ours_are_named(single: Cluster) -> None:
    machine = single.machines[0].name
    single.rkx("up", "--plain").check()
    other = ("--name", "stray", "--label", "rkx.cluster=0123456789abcdef")
    single.on(machine, "docker", "create", *other, f"{single.lab.registry}/rkx/pause:3.10")
    try:
        one_message(single.rkx("up", "--plain"), 8, machine, "another cluster", "stray")
    finally:
        single.on(machine, "docker", "rm", "stray")


def test_data_that_is_gone_is_not_begun_anew(single: Cluster) -> None:
    machine = single.machines[0].name
    single.rkx("up", "--plain").check()
    single.kubectl("create", "configmap", "kept", "--from-literal=a=b").check()
    single.on(machine, "sh", "-c", f"docker rm -f etcd && mkdir {ASIDE} && mv {DATA}/* {ASIDE}/")
    try:
        one_message(single.rkx("up", "--plain"), 8, machine, DATA, "the cluster's data is gone")
        assert "etcd" not in single.containers(machine)
    finally:
        single.on(machine, "sh", "-c", f"mv {ASIDE}/* {DATA}/ && rmdir {ASIDE}")
    single.rkx("up", "--plain").check()
    single.kubectl("get", "configmap", "kept").check()


def test_cluster_of_another_name_is_not_taken_over(single: Cluster, lab: Lab) -> None:
    single.rkx("up", "--plain").check()
    folder = single.folder / "other"
    folder.mkdir()
    other = of_one(lab, single.machines[0].name, folder)
    rewrite(other, cluster_name="another")
    one_message(other.rkx("up", "--plain"), 8, "another", single.values["cluster_name"])


def test_kubelet_that_never_gets_well_is_told_with_its_last_words(single: Cluster) -> None:
    single.rkx("up", "--plain").check()
    bad = {"feature-gates": "NoSuchGate=true"}
    with single.edited(lambda values: values["services"]["kubelet"]["extra_args"].update(bad)):
        one_message(single.rkx("up", "--plain"), 9, f"{single.machines[0].name} container kubelet", "NoSuchGate")
    single.rkx("up", "--plain").check()
    assert single.plan()["actions"] == []
