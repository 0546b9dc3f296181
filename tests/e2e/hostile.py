"""What root of a worker has at hand, a server of manifests too, and how a run is seen to tell of it."""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests
from authority import authorities
from harness import Cluster, Done
from msgspec.structs import replace
from pretender import PONG, Answer, Server, endless, http, silent, slow, whole
from running import own

from rkx.reconcile.layout import STATE_COPY, STATE_FOLDER
from rkx.reconcile.state import NodeRecord, State, new_state
from rkx.reconcile.state_json import dump

BOUND_S = 30
STATE = "cluster.rkxstate"
DATA = "/home/data"
LOST = "kube-proxy"
ANOTHER = "0123456789abcdef"
CONFIGURATION = "/etc/kubernetes"
MERGE_PATCH = "application/merge-patch+json"
TRIED = "flannel.alpha.coreos.com/tried"
CONTROL = "\x1b[2J\x1b]0;all is well\x07"


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
        """Return the containers of the other machines."""
        return own(dataclasses.replace(self.cluster, machines=self.cluster.machines[:2]))

    def lose(self) -> None:
        """Take something away from the good worker, so that there is work."""
        self.cluster.on(self.good, "docker", "rm", "-f", LOST)

    def has_work_done(self) -> bool:
        """Return whether what was lost is there again."""
        return LOST in self.cluster.containers(self.good)

    def up(self, *options: str) -> Done:
        return self.cluster.rkx("up", "--plain", *options)

    def kept(self) -> list[str]:
        """Show what must stay as it is: the authority on the control plane, and data of others on every machine."""
        script = f"cat {DATA}/kept; find {CONFIGURATION} -type f | sort | xargs sha256sum"
        return [self.cluster.on(self.first, "sh", "-c", script), self.cluster.on(self.good, "cat", f"{DATA}/kept")]


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
    state: State = replace(
        new_state(), cluster_id=outer["cluster_id"], generation=10**9, nodes=nodes, immutable=inner["immutable"]
    )
    return dump(state)


def plant_copy(site: Site) -> None:
    """Put a forged state where a copy would lie; the next files that rkx writes there take it away."""
    text = base64.b64encode(forged(site)).decode()
    site.hostile(f"mkdir -p {STATE_FOLDER} && echo {text} | base64 -d >{STATE_COPY}")


def create(site: Site, name: str, **labels: str) -> None:
    """Have a container on the hostile worker with labels of rkx."""
    said = " ".join(f"--label rkx.{key}={value}" for key, value in labels.items())
    site.hostile(f"docker create --name {name} {said} {site.cluster.lab.registry}/rkx/pause:3.10")


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
    """Return labels and annotations of a Node."""
    [metadata] = [each["metadata"] for each in site.cluster.objects("nodes") if each["metadata"]["name"] == node]
    return metadata["labels"], metadata["annotations"]


def kinds(elsewhere: Server) -> dict[str, Answer]:
    """Return what a false Engine may say, by what that is."""
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


def included(elsewhere: Server) -> dict[str, tuple[Answer, str]]:
    """Return what a server of manifests may say, and what is told of that."""
    away = f"http://{elsewhere.address}:{elsewhere.port}/"
    return {
        "another host": (whole(b"", http(b"", f"Location: {away}", status="302 Found")), f"it leads to {away}"),
        "another content": (whole(b"", http(b"kind: Other")), "has the SHA-256"),
        "endless body": (endless(b"#" * (1 << 16)), "is larger than"),
        "an error of its own": (whole(b"", http(b"", status=f"500 {CONTROL}")), "HTTP Error 500"),
        "slow": (slow(0.5, first=True), "takes longer than 20 s"),
    }
