"""Root of a worker puts there what it likes: it is told, the worker is left aside, and nothing happens elsewhere."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import requests
from authority import authorities
from harness import Cluster, Done, cluster_in
from pretender import PONG, Answer, Pretender, Server, endless, http, in_place_of_engine, of_paths, silent, slow, whole
from registry import ADDRESS, gives, on_each_machine, refuses
from running import own

from rkx.engine.layout import STATE_COPY, STATE_FOLDER
from rkx.engine.state import NodeRecord, State, born, dump
from rkx_lab.state import Lab

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]
BOUND_S = 30
STATE = "cluster.rkxstate"
DATA = "/home/data"
LOST = "kube-proxy"
ANOTHER = "0123456789abcdef"
CONFIGURATION = "/etc/kubernetes"
MERGE_PATCH = "application/merge-patch+json"
TRIED = "flannel.alpha.coreos.com/tried"
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


@dataclass(frozen=True, kw_only=True)
class Site:
    """A cluster of a control plane and two workers, one of them hostile, and who must never be asked."""

    cluster: Cluster
    elsewhere: Server

    @property
    def first(self) -> str:
        return self.cluster.machines[0].name

    @property
    def good(self) -> str:
        return self.cluster.machines[1].name

    @property
    def bad(self) -> str:
        return self.cluster.machines[2].name

    def hostile(self, script: str) -> str:
        """Do something as root of the hostile worker."""
        return self.cluster.on(self.bad, "sh", "-c", script)

    def others(self) -> dict[tuple[str, str], tuple[str, str]]:
        """Give the containers of the other machines."""
        return own(replace(self.cluster, machines=self.cluster.machines[:2]))

    def lose(self) -> None:
        """Take something away from the good worker, so that there is work."""
        self.cluster.on(self.good, "docker", "rm", "-f", LOST)

    def has_work_done(self) -> bool:
        """Tell if what was lost is there again."""
        return LOST in self.cluster.containers(self.good)

    def up(self, *options: str) -> Done:
        return self.cluster.rkx("up", "--plain", *options)

    def kept(self) -> list[str]:
        """Show what must stay as it is: the authority on the control plane, and data of others on every machine."""
        script = f"cat {DATA}/kept; find {CONFIGURATION} -type f | sort | xargs sha256sum"
        return [self.cluster.on(self.first, "sh", "-c", script), self.cluster.on(self.good, "cat", f"{DATA}/kept")]


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


@contextmanager
def nothing_elsewhere(site: Site) -> Iterator[None]:
    """See that authorities, data of others and the other machines' containers stay, and that nobody else is asked."""
    before = authorities(site.cluster), site.kept(), site.others()
    yield
    assert (authorities(site.cluster), site.kept(), site.others()) == before
    assert site.elsewhere.taken == 0


def told(done: Done, code: int, *words: str) -> None:
    """Check the exit code, that all words are said, and that it is no bug."""
    done.check(code)
    for word in words:
        assert word in done.out + done.err, f"{word!r} is not in: {done.out}\n{done.err}"
    assert "Traceback" not in done.out + done.err
    assert done.took_s < BOUND_S


def forged(site: Site) -> bytes:
    """Make a state of this cluster's id: newer than all, with paths of others, and a node that leads elsewhere."""
    outer = json.loads((site.cluster.folder / STATE).read_text())
    inner = json.loads(outer["state"])
    record = NodeRecord(address="", internal_address="", roles=(), paths=(DATA, f"{DATA}/kept"), containers=("etcd",))
    nodes = {
        name: replace(record, **{key: each[key] for key in ("address", "internal_address", "transport", "options")})
        for name, each in inner["nodes"].items()
    }
    options = {"user": "root", "port": site.elsewhere.port, "ssh_key_path": str(site.cluster.lab.key)}
    address = site.elsewhere.address
    nodes["further"] = replace(
        record, address=address, internal_address=address, roles=("etcd",), transport="ssh", options=options
    )
    state: State = replace(born(), cluster_id=outer["cluster_id"], generation=10**9, nodes=nodes, birth=inner["birth"])
    return dump(state)


def plant_copy(site: Site) -> None:
    """Put a forged state where a copy would lie; the next files that rkx writes there take it away."""
    text = base64.b64encode(forged(site)).decode()
    site.hostile(f"mkdir -p {STATE_FOLDER} && echo {text} | base64 -d >{STATE_COPY}")


@pytest.mark.parametrize("lost", [False, True], ids=["state at hand", "state lost"])
def test_forged_copy_of_the_state_is_passed_over(site: Site, tmp_path: Path, lost: bool) -> None:
    plant_copy(site)
    found = f"{STATE} was missing; the state was found on {site.first}: its authority" if lost else ""
    words = (found, f"{site.bad}: what lies there as a copy of the state is passed over", "keeps none")
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


def create(site: Site, name: str, **labels: str) -> None:
    """Have a container on the hostile worker with labels of rkx."""
    said = " ".join(f"--label rkx.{key}={value}" for key, value in labels.items())
    site.hostile(f"docker create --name {name} {said} {site.cluster.lab.registry}/rkx/pause:3.10")


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


def as_flannel(site: Site, folder: Path, node: str, metadata: Mapping[str, object]) -> tuple[int, str]:
    """Patch metadata of a Node through its status, with the token that flannel has on the hostile worker."""
    here = f"spec.nodeName={site.bad}"
    [pod] = site.cluster.objects("pods", "-n", "kube-flannel", "--field-selector", here)
    held = f"/var/lib/kubelet/pods/{pod['metadata']['uid']}/volumes/kubernetes.io~projected/*"
    authority = folder / "ca.crt"
    authority.write_text(site.hostile(f"cat {held}/ca.crt"))
    answer = requests.patch(
        f"https://{site.cluster.machines[0].address}:6443/api/v1/nodes/{node}/status",
        data=json.dumps({"metadata": metadata}),
        headers={"Authorization": f"Bearer {site.hostile(f'cat {held}/token')}", "Content-Type": MERGE_PATCH},
        verify=str(authority),
        timeout=10,
    )
    return answer.status_code, answer.text


def said_of(site: Site, node: str) -> tuple[dict[str, str], dict[str, str]]:
    """Give labels and annotations of a Node."""
    [metadata] = [each["metadata"] for each in site.cluster.objects("nodes") if each["metadata"]["name"] == node]
    return metadata["labels"], metadata["annotations"]


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


def kinds(elsewhere: Server) -> dict[str, Answer]:
    """Give what a false Engine may say, by what that is."""
    away = http(b"", f"Location: http://{elsewhere.address}:{elsewhere.port}/", status="307 Temporary Redirect")
    chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    return {
        "no HTTP": whole(b"what is this?\r\n\r\n", b""),
        "no version": whole(http(b"OK", "Api-Version: ../../"), b""),
        "no JSON": whole(PONG, http(b"<html>")),
        "other JSON": whole(PONG, http(b'[{"Id": 1, "Names": {"a": null}}, null]')),
        "deep JSON": whole(PONG, http(b"[" * 100_000)),
        "another error": whole(PONG, http(b'{"message": 1}', status="418 Teapot")),
        "redirect at once": whole(away, away),
        "redirect later": whole(PONG, away),
        "packed": whole(PONG, http(b"x", "Content-Encoding: gzip")),
        "cut": whole(PONG, http(b"[" * 100)[:-50]),
        "endless body": endless(b" " * (1 << 16)),
        "endless chunks": endless(b"10000\r\n" + b" " * (1 << 16) + b"\r\n", chunks),
        "endless headers": endless(b"a: b\r\n" * 1000, b"HTTP/1.1 200 OK\r\n"),
        "slow": slow(0.5, first=True),
        "silent": silent,
    }


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
            told(site.cluster.rkx("plan"), 8, site.bad, site.first, "one Docker id")
            told(site.up(), 8, site.bad, site.first)
        site.lose()
        told(site.up("--allow-unreachable", site.bad), 7, site.bad)
        assert site.has_work_done()


CONTROL = "\x1b[2J\x1b]0;all is well\x07"
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
REGISTRIES = {
    "refuses": (refuses(f"{CONTROL}paid?"), "paid?"),
    "gives no manifest": (gives(b"<html>", "text/html"), ""),
    "gives another manifest": (gives(b'{"schemaVersion": 2, "layers": []}', MANIFEST), ""),
}


@pytest.mark.parametrize("kind", REGISTRIES)
def test_hostile_registry_is_told_and_nothing_changes(site: Site, kind: str) -> None:
    answer, words = REGISTRIES[kind]
    before, whole_file = own(site.cluster), dict(site.cluster.values)
    site.cluster.values["system_images"] = {"kubernetes": f"{ADDRESS}/kubernetes:1"}
    site.cluster.write()
    with on_each_machine(site.cluster, answer) as registry:
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
    site.cluster.values = whole_file
    site.cluster.write()
    told(site.up(), 0)  # the files that tell of the image were written
    site.cluster.has_nothing_to_do()
    assert own(site.cluster) == before


def included(elsewhere: Server) -> dict[str, tuple[Answer, str]]:
    """Give what a server of manifests may say, and what is told of that."""
    away = f"http://{elsewhere.address}:{elsewhere.port}/"
    return {
        "another host": (whole(b"", http(b"", f"Location: {away}", status="302 Found")), f"it leads to {away}"),
        "another content": (whole(b"", http(b"kind: Other")), "has the SHA-256"),
        "endless body": (endless(b"#" * (1 << 16)), "is larger than"),
        "an error of its own": (whole(b"", http(b"", status=f"500 {CONTROL}")), "HTTP Error 500"),
        "slow": (slow(0.5, first=True), "takes longer than 20 s"),
    }


def test_hostile_included_address_is_told_and_nothing_changes(site: Site) -> None:
    whole_file = dict(site.cluster.values)
    with nothing_elsewhere(site), Pretender(silent) as server:
        source = {"source": f"http://{server.address}:{server.port}/a.yml", "sha256": "0" * 64}
        site.cluster.values["addons_include"] = [source]
        site.cluster.write()
        for kind, (server.answer, words) in included(site.elsewhere).items():
            asked = server.taken
            told(site.cluster.rkx("validate"), 0)
            assert server.taken == asked, kind
            done = site.up()
            told(done, 3, "cluster.yml:", source["source"], words)
            assert "\x1b" not in done.out + done.err, kind
            assert server.taken == asked + 1, kind
    site.cluster.values = whole_file
    site.cluster.write()
    site.cluster.has_nothing_to_do()


def test_cluster_is_taken_down_and_data_of_others_stay(site: Site) -> None:
    plant_copy(site)
    told(site.cluster.rkx("remove", "--yes", "--plain"), 0)
    assert site.elsewhere.taken == 0
    for machine in site.cluster.machines:
        assert site.cluster.on(machine.name, "cat", f"{DATA}/kept") == "kept\n"
        assert site.cluster.containers(machine.name) == {}
