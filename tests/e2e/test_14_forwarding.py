"""Where sshd forbids streams, the Engine is reached by its own client and the API server by rkx-node's relay."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

import pytest
import workload
from harness import Cluster
from lone import of_one, spare

from rkx_lab.state import Lab

__all__ = ["spare"]  # a fixture
pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]
NO_TCP = ("AllowTcpForwarding no",)  # Debian's sshd then refuses streams to sockets as well, whatever the other says
NO_SOCKETS = ("AllowStreamLocalForwarding no",)
NOTHING = (*NO_TCP, *NO_SOCKETS)
DROP_IN = "/etc/ssh/sshd_config.d/00-forwarding.conf"
# no connection of ours is open here, so the next one is served by an sshd that has read the file
RELOAD = "/usr/sbin/sshd -t && kill -HUP $(cat /run/sshd.pid)"
OF_CONNECTION = "/usr/sbin/sshd -T -C user=root,host=node,addr=192.0.2.1"


@pytest.fixture(scope="module")
def single(lab: Lab, spare: str, tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    """A cluster.yml of one machine with every role, not brought up."""
    return of_one(lab, spare, tmp_path_factory.mktemp("forwarding"))


WAYS = {"no sockets": NO_SOCKETS, "no tcp": NO_TCP, "neither": NOTHING}


@pytest.fixture(params=[pytest.param(way, marks=[pytest.mark.long] * (ways == NOTHING)) for way, ways in WAYS.items()])
def narrow(single: Cluster, request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """The machine with an sshd that forbids streams."""
    options = WAYS[request.param]
    machine = single.machines[0].name
    lines = "".join(f"{option}\\n" for option in options)
    single.on(machine, "sh", "-c", f"printf '{lines}' >{DROP_IN} && {RELOAD}")
    said = single.on(machine, "sh", "-c", OF_CONNECTION)
    assert {option.lower() for option in options} <= set(said.splitlines())
    yield single
    single.on(machine, "sh", "-c", f"rm {DROP_IN} && {RELOAD}")


def relays(cluster: Cluster) -> list[str]:
    """List containers of streams, ended ones as well."""
    return [name for name in cluster.containers(cluster.machines[0].name) if name.startswith("rkx-relay-")]


def test_cluster_comes_and_goes_over_a_narrow_ssh(
    narrow: Cluster, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    first = narrow.rkx("up", "--plain").check()
    narrow.kubectl("wait", "node", "--all", "--for=condition=Ready", "--timeout=60s").check()
    assert relays(narrow) == []
    work = workload.deploy(narrow)
    assert "request: GET /word" in work.get("one", work.addresses["two"], path="word")
    assert "/word\n" in narrow.kubectl("logs", "-n", workload.NAMESPACE, "two", "-c", "echo").check().out

    plan = narrow.plan()
    if "no sockets" in request.node.name:
        assert plan["actions"] == []
    else:  # a plan starts no container, so there is no relay, and the objects are unknown
        assert {action["verb"] for action in plan["actions"]} == {"refresh"}
        assert plan["unknown"] == ["objects"]

    before = narrow.containers(narrow.machines[0].name)
    second = narrow.rkx("up", "--json").check()
    events = [json.loads(line) for line in second.out.splitlines()]
    assert not [event for event in events if event["kind"] == "action-started"]
    assert narrow.containers(narrow.machines[0].name) == before

    removed = narrow.rkx("remove", "--yes", "--plain").check()
    assert narrow.containers(narrow.machines[0].name) == {}
    with capsys.disabled():
        times = ", ".join(f"{done.command[1]} {done.took_s:.1f} s" for done in (first, second, removed))
        sys.stdout.write(f"\n{times}\n")
