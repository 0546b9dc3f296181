"""Every request to every Engine during up, change and remove: no exec, no unknown program, few are privileged."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from recorded import Recorded
from tap import Request

pytestmark = [pytest.mark.lab, pytest.mark.demonstration(11), pytest.mark.timeout(900)]
RUNS = ("up", "change", "remove")
VERBS = {"begin", "folder", "put", "delete", "unmount", "digest", "facts", "load", "clean", "end"}
OWN_PROGRAM = re.compile(r"(/var/lib/rkx/bin)?/rkx-node")
OWN_COMMANDS = {"load"}
PRIVILEGED = {"cri-dockerd", "kube-proxy", "kubelet", "rkx-clean", "rkx-host"}
# What the catalogue's images are entered by, besides rkx-node.
PROGRAMS = {
    *("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy"),
    *("start-cri-dockerd", "haproxy"),
}


@pytest.fixture(scope="module")
def requests(recorded: Recorded) -> dict[str, list[Request]]:
    """Return the requests of the cluster's whole life: it is changed, then removed."""
    recorded.change()
    recorded.remove()
    return recorded.requests


def test_engine_when_a_cluster_lives_and_ends_is_asked_for_what_is_listed(
    requests: dict[str, list[Request]], golden: Callable[[str, str], None]
) -> None:
    shapes = {run: sorted({each.shape for each in requests[run]}) for run in RUNS}
    assert not [shape for run in RUNS for shape in shapes[run] if "exec" in shape]
    golden("engine_requests.txt", "".join(f"{run}: {shape}\n" for run in RUNS for shape in shapes[run]))


def test_containers_when_made_are_those_listed(
    requests: dict[str, list[Request]], golden: Callable[[str, str], None]
) -> None:
    made = [each for run in RUNS for each in requests[run] if each.shape == "POST /containers/create"]
    assert {_name(each) for each in made if each.json().get("HostConfig", {}).get("Privileged")} == PRIVILEGED
    programs = {program for each in made for program in _programs(each)}
    assert programs == PROGRAMS
    assert {word for each in made for word in _own_command(each)} <= OWN_COMMANDS
    golden("engine_containers.txt", "".join(f"{row}\n" for row in sorted({_row(each) for each in made})))


def test_rkx_node_when_it_is_given_work_knows_every_verb(requests: dict[str, list[Request]]) -> None:
    verbs = {operation["verb"] for run in RUNS for each in requests[run] for operation in _batch(each)}
    assert {"begin", "folder", "put", "facts", "clean", "unmount", "end"} <= verbs <= VERBS


def _name(request: Request) -> str:
    """Return the container's name; a replacement is made under one that ends in its digest."""
    [name] = parse_qs(urlsplit(request.target).query)["name"]
    return re.sub(r"-[0-9a-f]{12}$", "", name)


def _command(request: Request) -> list[str]:
    body = request.json()
    return [*(body.get("Entrypoint") or ()), *(body.get("Cmd") or ())]


def _programs(request: Request) -> set[str]:
    """Name what runs in the container, rkx-node apart: itself, or what it is followed by."""
    command = _command(request)
    if command and OWN_PROGRAM.fullmatch(command[0]):
        command = command[command.index("--") + 1 :] if "--" in command else []
    return set(command[:1])


def _own_command(request: Request) -> list[str]:
    """Return what rkx-node is told to do at once; without a command it reads a batch."""
    command = _command(request)
    return command[1:2] if command and OWN_PROGRAM.fullmatch(command[0]) else []


def _row(request: Request) -> str:
    body, command = request.json(), _command(request)
    host = body.get("HostConfig", {})
    image = re.sub(r"^[\d.]+:\d+/", "", body["Image"]).partition(":")[0]
    shown = command[: command.index("--") + 2] if "--" in command else command[:1]
    mode = "privileged" if host.get("Privileged") else f"capabilities {','.join(host.get('CapAdd') or ()) or 'none'}"
    if not host:
        mode = "never started"
    mounts = "".join(f"\n  {bind}" for bind in sorted(host.get("Binds") or ()))
    line = re.sub(r"/pki/[0-9a-f]{16}/", "/pki/CLUSTER-ID/", " ".join(shown))
    return f"{_name(request)}: {image}, {mode}, {line or 'no command'}{mounts}"


def _batch(request: Request) -> Iterator[dict[str, Any]]:
    """Return the operations that were sent to rkx-node by attach."""
    if request.shape == "POST /containers/NAME/attach":
        for line in request.body.splitlines():
            yield json.loads(line)
