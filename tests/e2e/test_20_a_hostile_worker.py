"""Root of a worker puts there what it likes: it is told, the worker is left aside, and nothing happens elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from authority import authorities
from harness import cluster_in
from hostile import (
    ANOTHER,
    CONFIGURATION,
    CONTROL,
    DATA,
    STATE,
    TRIED,
    Site,
    as_flannel,
    create,
    included,
    kinds,
    nothing_elsewhere,
    plant_copy,
    said_of,
    told,
)
from pretender import Pretender, Server, in_place_of_engine, of_paths, silent, slow
from registry import ADDRESS, gives, on_each_machine, refuses
from running import own

from rkx_lab.state import Lab

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]
OWN_METADATA = (
    {"annotations": {"flannel.alpha.coreos.com/public-ip": "192.0.2.1"}},
    {"annotations": {"flannel.alpha.coreos.com/backend-data": "null"}},
)
"""What flannel says of its own Node; others believe it."""
FOREIGN_METADATA = (
    {"annotations": {"example.org/said": "by flannel"}},
    {"labels": {"node-restriction.kubernetes.io/trusted": "true"}},
)
"""What flannel has no business with on any Node."""


@pytest.fixture(scope="module")
def site(lent_lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Bring the cluster up, with data of others on each machine."""
    cluster = cluster_in(lent_lab, tmp_path_factory.mktemp("hostile"), lent_lab.machines[:3])
    cluster.values |= {"monitoring": {"provider": "none"}, "ingress": {"provider": "none"}}  # without, a warning
    cluster.write()
    cluster.rkx("up", "--plain").check()
    for machine in cluster.machines:
        cluster.on(machine.name, "sh", "-c", f"mkdir -p {DATA} && echo kept >{DATA}/kept")
    with Server(lent_lab.gateway) as elsewhere:
        yield Site(cluster=cluster, elsewhere=elsewhere)


@pytest.mark.parametrize("lost", [False, True], ids=["state at hand", "state lost"])
def test_forged_copy_of_the_state_is_passed_over(site: Site, tmp_path: Path, lost: bool) -> None:
    plant_copy(site)
    found = f"{STATE} was missing; the state was found on {site.first}: its authority" if lost else ""
    words = (found, f"{site.bad}: its copy of the state is ignored", "keeps none")
    with nothing_elsewhere(site):
        authority = authorities(site.cluster)
        if lost:
            for file in site.cluster.folder.glob(f"{STATE}*"):
                file.rename(tmp_path / file.name)
        told(site.cluster.rkx("plan"), 0, *words)
        told(site.up(), 0, *words)
        assert authorities(site.cluster) == authority
        site.cluster.has_nothing_to_do()
    assert site.hostile(f"cat {DATA}/kept") == "kept\n"


def test_containers_with_this_clusters_labels_are_the_workers_own_affair(site: Site) -> None:
    cluster_id = json.loads((site.cluster.folder / STATE).read_text())["cluster_id"]
    create(site, "kube-apiserver", cluster=cluster_id, digest="0" * 32)
    create(site, "intruder", cluster=cluster_id)
    holder = {"run": "stranger", "machine": ANOTHER, "boot": ANOTHER, "pidns": "pid:[1]", "pid": "1", "start": "1"}
    create(site, "rkx-lock", cluster=cluster_id, number="999999999999999", **holder)
    create(site, "etcd", cluster=cluster_id)  # which is no member
    planted = ("etcd", "kube-apiserver", "intruder", "rkx-lock")
    with nothing_elsewhere(site):
        planned = {(each["node"], each["verb"], each["name"]) for each in site.cluster.plan()["actions"]}
        assert planned == {(site.bad, "remove", name) for name in planted}
        told(site.up(), 0, *(f"{site.bad} remove container {name}" for name in planted))
        site.cluster.has_nothing_to_do()


def test_flannels_token_changes_flannels_annotations_of_the_workers_own_node_alone(site: Site, tmp_path: Path) -> None:
    others = [(node, each) for node in (site.first, site.good) for each in OWN_METADATA + FOREIGN_METADATA]
    for node, metadata in [*others, *((site.bad, each) for each in FOREIGN_METADATA)]:
        before = said_of(site, node)
        code, text = as_flannel(site, tmp_path, node, metadata)
        assert (code, "'flannel-own-node' denied request" in text) == (403, True), text
        assert said_of(site, node) == before
    for value in ("true", None):
        code, text = as_flannel(site, tmp_path, site.bad, {"annotations": {TRIED: value}})
        assert code == 200, text
        assert said_of(site, site.bad)[1].get(TRIED) == value
    site.cluster.has_nothing_to_do()


def test_containers_of_another_cluster_are_told_and_the_worker_can_be_left_aside(site: Site) -> None:
    create(site, "stray", cluster=ANOTHER)
    with nothing_elsewhere(site):
        told(site.cluster.rkx("plan"), 8, f"{site.bad} carries containers of another cluster: stray")
        told(site.up(), 8, f"{site.bad} carries containers of another cluster: stray")
    site.lose()
    told(site.up("--allow-unreachable", site.bad), 7, site.bad, "stray")
    assert site.has_work_done()
    site.hostile("docker rm -f stray")
    site.cluster.has_nothing_to_do()


FILES = {
    "a file is a link": ("rm $file && ln -s /home/data/kept $file", "rm $file", "ELOOP"),
    "a file is a folder": ("rm $file && mkdir $file", "rmdir $file", "EISDIR"),
    "a later run's mark": (
        """printf '{"cluster":"%s","number":999999999}' $id >/var/lib/rkx/fence; rm $file""",
        "rm /var/lib/rkx/fence",
        "delete /var/lib/rkx/fence",
    ),
}


@pytest.mark.parametrize(("planted", "mended", "word"), FILES.values(), ids=FILES.keys())
def test_what_lies_where_rkx_writes_is_told_and_all_others_are_done(
    site: Site, planted: str, mended: str, word: str
) -> None:
    cluster_id = json.loads((site.cluster.folder / STATE).read_text())["cluster_id"]
    names = f"file=$(find {CONFIGURATION}/kube-proxy -type f | sort | head -n 1); id={cluster_id}; "
    site.hostile(f"{names} echo $file >/srv/file; {planted}")
    site.lose()
    told(site.cluster.rkx("plan"), 0, site.bad)
    told(site.up(), 7, site.bad, word)
    assert site.has_work_done()
    assert site.hostile(f"cat {DATA}/kept") == "kept\n"
    with nothing_elsewhere(site):
        site.hostile(f"file=$(cat /srv/file); {mended}")
        told(site.up(), 0)
        site.cluster.has_nothing_to_do()


def test_another_host_key_is_told_with_both_fingerprints(site: Site) -> None:
    start = "/usr/sbin/sshd -E /var/log/sshd.log"
    stop = "pid=$(cat /run/sshd.pid); kill $pid; while [ -d /proc/$pid ]; do sleep 0.05; done"
    site.hostile(f"ssh-keygen -q -t ed25519 -N '' -f /srv/key; {stop}; {start} -o HostKey=/srv/key")
    try:
        shown = site.hostile("ssh-keygen -lf /srv/key.pub").split()[1]
        known = site.hostile("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub").split()[1]
        with nothing_elsewhere(site):
            told(site.cluster.rkx("plan"), 4, site.bad, shown, known)
            told(site.up(), 4, site.bad, shown, known)
        site.lose()
        told(site.up("--allow-unreachable", site.bad), 7, site.bad)
        assert site.has_work_done()
    finally:
        site.hostile(f"{stop}; {start}")
    site.cluster.has_nothing_to_do()


LEFT_ASIDE = frozenset({"other JSON", "another error", "redirect at once", "redirect later", "endless body", "slow"})
"""Kinds with which a whole `up` is done, too; each takes some seconds."""


def test_false_engine_is_told_in_time_and_can_be_left_aside(site: Site) -> None:
    with Pretender(silent) as server, in_place_of_engine(site.cluster, site.bad, server):
        for kind, answer in kinds(site.elsewhere).items():
            server.answer = answer
            planned = site.cluster.rkx("plan")
            assert (kind, planned.code) == (kind, 4), planned.err
            told(planned, 4, site.bad)
            if kind in LEFT_ASIDE:
                site.lose()
                told(site.up("--allow-unreachable", site.bad), 7, f"not reached: {site.bad}")
                assert site.has_work_done(), kind
            assert site.elsewhere.taken == 0, kind


@pytest.mark.long
def test_engine_that_is_slow_in_each_answer_is_left_after_five_minutes(site: Site) -> None:
    with Pretender(slow(1, first=False)) as server, in_place_of_engine(site.cluster, site.bad, server):
        done = site.cluster.rkx("plan", timeout_s=400).check(4)
        assert site.bad in done.err
        assert done.took_s < 330


def test_engine_that_claims_to_be_the_control_planes_is_told(site: Site) -> None:
    values: dict[str, object] = {
        "/info": json.loads(site.cluster.on(site.first, "docker", "info", "--format", "{{json .}}")),
        "/containers/json": [],
        "/images/json": [],
    }
    with Pretender(of_paths(values)) as server, in_place_of_engine(site.cluster, site.bad, server):
        with nothing_elsewhere(site):
            told(site.cluster.rkx("plan"), 8, f"{site.bad}: Docker's id is", f"it is that of {site.first}")
            told(site.up(), 8, site.bad, site.first)
        site.lose()
        told(site.up("--allow-unreachable", site.bad), 7, site.bad)
        assert site.has_work_done()


MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
REGISTRIES = {
    "refuses": (refuses(f"{CONTROL}paid?"), "paid?"),
    "gives no manifest": (gives(b"<html>", "text/html"), ""),
    "gives another manifest": (gives(b'{"schemaVersion": 2, "layers": []}', MANIFEST), ""),
}


@pytest.mark.parametrize("kind", REGISTRIES)
def test_hostile_registry_is_told_and_nothing_changes(site: Site, kind: str) -> None:
    answer, words = REGISTRIES[kind]
    before = own(site.cluster)
    images = {"system_images": {"kubernetes": f"{ADDRESS}/kubernetes:1"}}
    with site.cluster.edited(lambda values: values.update(images)), on_each_machine(site.cluster, answer) as registry:
        done = site.up()
        told(
            done,
            7,
            *(f"{node.name}: image {ADDRESS}/kubernetes:1 cannot be pulled: " for node in site.cluster.machines),
        )
        assert words in done.err
        assert "\x1b" not in done.out + done.err
        assert registry.taken > 0
        assert own(site.cluster) == before
    told(site.up(), 0)  # the files that tell of the image were written
    site.cluster.has_nothing_to_do()
    assert own(site.cluster) == before


def test_hostile_included_address_is_told_and_nothing_changes(site: Site) -> None:
    with nothing_elsewhere(site), Pretender(silent) as server:
        source = {"source": f"http://{server.address}:{server.port}/a.yml", "sha256": "0" * 64}
        with site.cluster.edited(lambda values: values.update(addons_include=[source])):
            for kind, (server.answer, words) in included(site.elsewhere).items():
                asked = server.taken
                told(site.cluster.rkx("validate"), 0)
                assert server.taken == asked, kind
                done = site.up()
                told(done, 3, "cluster.yml:", source["source"], words)
                assert "\x1b" not in done.out + done.err, kind
                assert server.taken == asked + 1, kind
    site.cluster.has_nothing_to_do()


def test_cluster_is_taken_down_and_data_of_others_stay(site: Site) -> None:
    plant_copy(site)
    told(site.cluster.rkx("remove", "--yes", "--plain"), 0)
    assert site.elsewhere.taken == 0
    for machine in site.cluster.machines:
        assert site.cluster.on(machine.name, "cat", f"{DATA}/kept") == "kept\n"
        assert site.cluster.containers(machine.name) == {}
