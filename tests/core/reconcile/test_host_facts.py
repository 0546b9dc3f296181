"""What a node says of itself gets into rkx as valid values, or not at all: from its answers, and from the state."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace
from tests.core.reconcile.small import Site

from rkx import api
from rkx.errors import BadAnswer, PartlyDone, TransportError
from rkx.model.facts import Interface
from rkx.reconcile import host
from rkx.reconcile.answers import Said
from rkx.reconcile.state import NodeRecord, new_state
from rkx.reconcile.state_json import dump, parse
from rkx.testing.machine import Machine
from rkx.testing.wire import Request, Response

AGREED = api.Options(accept=lambda dangers: True)
CARD = {"name": "eth0", "mtu": 1500, "addresses": ["192.0.2.1/24", "2001:DB8::1/64"], "up": True}
PORT = {"proto": "tcp6", "port": 22, "address": "::"}
FACTS: dict[str, Any] = Machine("two", lambda _what, act: act())._facts({})["facts"] | {
    "interfaces": [CARD],
    "listening": [PORT],
}


def card(**odd: object) -> dict[str, Any]:
    return {"interfaces": [CARD, {**CARD, **odd}]}


def port(**odd: object) -> dict[str, Any]:
    return {"listening": [{**PORT, **odd}]}


BAD: dict[str, dict[str, Any]] = {
    "no address": card(addresses=["not an address"]),
    "an octet too large": card(addresses=["192.0.2.256/24"]),
    "a prefix too long": card(addresses=["192.0.2.1/33"]),
    "an address with a zone": card(addresses=["fe80::1%\x1b[2J/64"]),
    "an empty name": card(name=""),
    "a name with a slash": card(name="a/b"),
    "a long name": card(name="a" * 16),
    "a name of two lines": card(name="a\nb"),
    "a negative mtu": card(mtu=-1),
    "a large mtu": card(mtu=1 << 32),
    "no such port": port(port=65536),
    "no such protocol": port(proto="sctp"),
    "no address of a port": port(address="192.0.2.1/24"),
    "a boot's id": {"boot_id": "a b"},
    "a machine's id": {"machine_id": "x" * 65},
    "a route's name": {"default_route": {"interface": "a b"}},
    "a resolver that is too long": {"resolv_conf": "search a\n" * 2000},
    "a resolver with a control letter": {"resolv_conf": "search \x1b[2J\n"},
    "a sysctl's name": {"sysctls": {"kernel panic": "1"}},
    "a sysctl's value": {"sysctls": {"kernel.panic": "1\n2"}},
}
ODD_BUT_TRUE: dict[str, dict[str, Any]] = {
    "nothing": {"interfaces": [], "listening": [], "default_route": None, "resolv_conf": "", "sysctls": {}},
    "no ids": {"boot_id": "", "machine_id": ""},
    "a first boot": {"machine_id": "uninitialized"},
    "links of containers": card(name="veth1a2b3c4@if", mtu=0),
    "a large card": card(mtu=65536, addresses=["127.0.0.1/8", "::1/128", "fe80::1/64"]),
    "a link that is down": card(up=False, addresses=[]),
    "a resolver": {"resolv_conf": "nameserver fe80::1%eth0\nsearch b\u00fccher.example\noptions ndots:5 rotate\n"},
}


@pytest.mark.parametrize("how", BAD)
def test_what_is_not_valid_is_no_answer_and_names_the_node(how: str) -> None:
    with pytest.raises(BadAnswer, match=r"^two: rkx-node: .*the answer has no") as found:
        host.of_answer(Said(FACTS | BAD[how], "two", "rkx-node"))
    assert (found.value.node, found.value.message.isprintable()) == ("two", True)


@pytest.mark.parametrize("how", ODD_BUT_TRUE)
def test_what_machines_have_is_read_and_kept(how: str) -> None:
    said = host.of_answer(Said(FACTS | ODD_BUT_TRUE[how], "two", "rkx-node"))
    record = NodeRecord(address="a", internal_address="", roles=("worker",), facts=said)
    state = replace(new_state(), nodes={"two": record})
    assert parse(dump(state), "x").nodes["two"].facts == said


def test_addresses_are_read_into_one_form() -> None:
    found = host.of_answer(Said(FACTS | card(addresses=["192.0.2.1/255.255.255.0"]), "two", "rkx-node"))
    cidrs = ("192.0.2.1/24", "2001:db8::1/64")
    assert found.interfaces[0] == Interface(name="eth0", mtu_bytes=1500, addresses=cidrs)
    assert found.interfaces[1].addresses == ("192.0.2.1/24",)


ENGINE: dict[str, dict[str, Any]] = {
    "a version of 5000 digits": {"ServerVersion": "9" * 5000},
    "a version of two lines": {"ServerVersion": "20.10\n1"},
    "an id with blanks": {"ID": "a b"},
    "a long id": {"ID": "x" * 300},
    "a relative folder": {"DockerRootDir": "docker"},
    "a folder above": {"DockerRootDir": "/var/../etc"},
    "a folder that ends a bind": {"DockerRootDir": "/a:/b"},
    "a folder of two lines": {"DockerRootDir": "/a\n/b"},
    "a driver of two lines": {"LoggingDriver": "a\nb"},
    "an option of two lines": {"SecurityOptions": ["name=a\nb"]},
    "an architecture with a slash": {"Architecture": "../x"},
    "a long architecture": {"Architecture": "x" * 300},
    "an architecture with a null": {"Architecture": "a\0b"},
    "a kernel with a control letter": {"KernelVersion": "\x1b[2J"},
    "a long system": {"OperatingSystem": "x" * 300},
    "a name of two lines": {"Name": "a\nb"},
    "less than no processors": {"NCPU": -1},
    "more memory than there is": {"MemTotal": 1 << 70},
}


@pytest.mark.parametrize("how", ENGINE)
def test_what_an_engine_says_of_itself_must_be_valid(running: Site, how: str) -> None:
    running.world.engines["two"].says.update(ENGINE[how])
    with pytest.raises(BadAnswer, match=r"^two: /info: .*the answer has no") as found:
        running.plan()
    assert (found.value.node, found.value.message.isprintable()) == ("two", True)


def lie(site: Site, odd: dict[str, Any]) -> None:
    """Have node two say something odd, and be asked again."""
    machine = site.world.machines["two"]
    plain = machine._facts
    machine._facts = lambda operation: {"facts": plain(operation)["facts"] | odd}  # type: ignore[method-assign]
    site.world.engines["two"].boxes.pop("rkx-node", None)


@pytest.mark.whole
@pytest.mark.parametrize("how", ["no address", "a name with a slash", "no such port"])
def test_a_fact_that_is_not_valid_is_not_kept_and_its_node_can_be_left_aside(running: Site, how: str) -> None:
    before = running.state.nodes["two"].facts
    lie(running, BAD[how])
    running.service.flag = "--level=2"
    error = running.up().error
    assert isinstance(error, PartlyDone | TransportError)
    assert "two: rkx-node: " in error.message
    assert running.state.nodes["two"].facts == before
    with pytest.raises(PartlyDone, match="not reached: two; all the rest is done; two: rkx-node: "):
        running.up("two").wait()
    assert running.world.engines["one"].boxes["agent"].config["Cmd"] == ["--level=2"]
    del running.world.machines["two"]._facts
    running.done()
    assert running.planned() == []


def spoil(site: Site, how: Callable[[dict[str, Any]], None]) -> None:
    """Change the facts of node two in the state's own form."""
    file = site.folder / "cluster.rkxstate"
    outer = json.loads(file.read_bytes())
    inner = json.loads(outer["state"])
    how(inner["nodes"]["two"]["facts"])
    outer["state"] = json.dumps(inner)
    file.write_text(json.dumps({**outer, "sha256": hashlib.sha256(outer["state"].encode()).hexdigest()}))


SPOILED: dict[str, Callable[[dict[str, Any]], None]] = {
    "address": lambda facts: facts["interfaces"][0].update(addresses=["not an address"]),
    "missing": lambda facts: facts.pop("boot_id"),
    "empty": lambda facts: facts.clear(),
    "kind": lambda facts: facts.update(listening=7),
}


@pytest.mark.whole
@pytest.mark.parametrize("how", SPOILED)
def test_a_state_that_keeps_a_bad_fact_locks_nobody_out_and_the_node_is_asked_again(running: Site, how: str) -> None:
    before = running.state.nodes["two"].facts
    spoil(running, SPOILED[how])
    assert running.state.nodes["two"].facts is None
    reason = "what it said of its machine is unknown"
    assert running.planned() == [("prepare", "two program rkx-node", reason)]
    running.done()
    assert before is not None
    assert running.state.nodes["two"].facts == replace(before, listening=())
    assert running.planned() == []


@pytest.mark.whole
def test_a_cluster_whose_state_keeps_a_bad_fact_can_be_taken_down(running: Site) -> None:
    spoil(running, SPOILED["address"])
    running.remove().wait()
    assert all(engine.boxes == {} for engine in running.world.engines.values())


@pytest.mark.whole
def test_a_node_that_leaves_and_answers_what_cannot_be_is_left_aside(running: Site) -> None:
    running.world.engines["two"].says["ServerVersion"] = "9" * 5000
    running.service.flag = "--level=2"
    running.write(("one",))
    with pytest.raises(PartlyDone, match="not reached: two; all the rest is done; two: /info: "):
        running.ended(api.up(running.project, AGREED)).wait()
    assert running.world.engines["one"].boxes["agent"].config["Cmd"] == ["--level=2"]
    running.world.engines["two"].says.clear()
    running.ended(api.up(running.project, AGREED)).wait()
    assert running.world.engines["two"].boxes == {}


@pytest.mark.whole
def test_a_worker_that_shows_no_containers_does_not_stop_a_birth(site: Site) -> None:
    engine = site.world.engines["two"]
    plain = engine.answer

    def answer(request: Request) -> Response:
        return Response(body=b"[7]") if request.path == "/containers/json" else plain(request)

    engine.answer = answer  # type: ignore[method-assign]
    with pytest.raises(PartlyDone, match="not reached: two; all the rest is done; two: /containers/json: "):
        site.up("two").wait()
    assert site.world.engines["one"].running("agent")


def test_facts_are_one_value_whatever_becomes_of_the_answer() -> None:
    said = copy.deepcopy(FACTS)
    found = host.of_answer(Said(said, "two", "rkx-node"))
    said["sysctls"].clear()
    assert found.sysctls == FACTS["sysctls"]
