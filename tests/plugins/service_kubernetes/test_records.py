"""Component records: a file per container for auditors, which says how it is run and holds no secret."""

from __future__ import annotations

import json
from pathlib import PurePosixPath

import pytest
from msgspec.structs import replace
from tests.plugins.service_kubernetes.conftest import CLUSTER, containers, content, only, resources

import rkx
from rkx_service_kubernetes.config import Etcd, KubernetesConfig

RECORDS = PurePosixPath("/etc/kubernetes/records")


def records(node: str) -> dict[str, rkx.File]:
    return {each.path.stem: each for each in only(rkx.File, resources(node)) if each.path.parent == RECORDS}


@pytest.mark.parametrize("node", ["one", "two"])
def test_every_container_has_a_record_that_root_alone_may_read(node: str) -> None:
    found = records(node)
    assert found.keys() == containers(resources(node)).keys()
    assert {(each.mode, each.uid, each.gid) for each in found.values()} == {(0o600, 0, 0)}
    [folder] = [each for each in only(rkx.Folder, resources(node)) if each.path == RECORDS]
    assert (folder.mode, folder.uid, folder.gid) == (0o700, 0, 0)


def test_a_record_says_how_the_container_is_run() -> None:
    container = containers(resources("one"))["kube-apiserver"]
    record = json.loads(content(resources("one"), f"{RECORDS}/kube-apiserver.json"))
    assert tuple(record["argv"]) == container.argv
    assert (record["image"], record["user"], record["privileged"]) == (container.image, "0:0", False)
    assert "/etc/kubernetes/kube-apiserver:/etc/kubernetes/kube-apiserver:ro" in record["mounts"]


def test_a_record_holds_no_value_of_the_environment() -> None:
    config = KubernetesConfig(etcd=Etcd(extra_env=("TOKEN=hunter2",)))
    text = content(resources("one", config), f"{RECORDS}/etcd.json")
    assert json.loads(text)["env"] == ["TOKEN"]
    assert "hunter2" not in text


@pytest.mark.parametrize("node", ["one", "two"])
def test_no_container_reads_a_record(node: str) -> None:
    everything = containers(resources(node)).values()
    seen = {mount.source for each in everything for mount in each.mounts} | {
        str(read.path) for each in everything for read in each.reads
    }
    assert not any(PurePosixPath(path) in (RECORDS, *RECORDS.parents[:-1]) for path in seen)


def test_a_member_more_changes_no_record() -> None:
    grown = replace(CLUSTER, nodes=(*CLUSTER.nodes, replace(CLUSTER.nodes[1], name="four", roles=frozenset({"etcd"}))))
    path = f"{RECORDS}/etcd.json"
    assert content(resources("one", cluster=grown), path) == content(resources("one"), path)
