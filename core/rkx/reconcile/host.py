"""What rkx-node says of its machine, as valid values: from its answer, and back from a state that kept it.

Plugins decide by these facts, and the state keeps them: what is not valid must not get further than here.
"""

from __future__ import annotations

from typing import Any

from rkx.errors import BadAnswer
from rkx.model.facts import HostFacts, Interface, Listener
from rkx.reconcile import forms
from rkx.reconcile.answers import Said

MOST_MTU = (1 << 32) - 1
MOST_PORT = (1 << 16) - 1


def of_answer(said: Said) -> HostFacts:
    """Read rkx-node's own answer; BadAnswer names the node and the first field that is not valid."""
    route = said.table("default_route").read("interface", "interface's name", forms.interface_or_none, "")
    return _host(said, route, mtu="mtu")


def of_state(kept: Any) -> HostFacts | None:  # noqa: ANN401 - JSON
    """Read what a state kept; None, which is unknown, where that is nothing, or is not valid: the node is asked."""
    said = Said(kept, "the state", "facts")
    try:
        route = said.read("default_interface", "interface's name", forms.interface_or_none)
        return _host(said, route, mtu="mtu_bytes")
    except BadAnswer:
        return None


def _host(said: Said, route: str, mtu: str) -> HostFacts:
    sysctls = said.table("sysctls")
    return HostFacts(
        boot_id=said.read("boot_id", "id", forms.machine_id),
        machine_id=said.read("machine_id", "id", forms.machine_id),
        interfaces=tuple(_interface(each, mtu) for each in said.rows("interfaces")),
        default_interface=route,
        resolv_conf=said.valid(said.text("resolv_conf"), "resolver's file", forms.resolver, "resolv_conf"),
        listening=tuple(_listener(each) for each in said.rows("listening")),
        swap=said.flag("swap"),
        sysctls={said.valid(name, "sysctl's name", forms.sysctl): sysctls.line(name) for name in sysctls.value},
    )


def _interface(said: Said, mtu: str) -> Interface:
    return Interface(
        name=said.read("name", "interface's name", forms.interface),
        mtu_bytes=said.count(mtu, MOST_MTU),
        addresses=said.each("addresses", lambda inner, index: inner.read(index, "IP address", forms.cidr)),
        up=said.flag("up"),
    )


def _listener(said: Said) -> Listener:
    return Listener(
        proto=said.choice("proto", "tcp", "tcp6", "udp", "udp6"),
        port=said.count("port", MOST_PORT),
        address=said.read("address", "IP address", forms.address),
    )
