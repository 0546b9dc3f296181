from ipaddress import IPv4Network

from hypothesis import given
from hypothesis import strategies as st

from rkx_lab import subnets

ROUTES = """\
Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth0	00000000	0100A8C0	0003	0	0	0	00000000	0	0	0
br-1	00431EAC	00000000	0001	0	0	0	00FFFFFF	0	0	0
docker0	000011AC	00000000	0001	0	0	0	0000FFFF	0	0	0
"""


def test_a_name_has_the_same_network_as_long_as_it_is_free() -> None:
    first = subnets.pick("lab", [])
    assert first is not None
    assert subnets.pick("lab", []) == first
    assert subnets.pick("lab", [first]) != first


@given(st.text(), st.sets(st.integers(0, 255)))
def test_what_is_picked_is_free_and_none_means_that_all_are_taken(name: str, taken: set[int]) -> None:
    networks = [IPv4Network(f"172.30.{number}.0/24") for number in taken]
    found = subnets.pick(name, networks)
    assert (found is None) == (len(taken) == 256)
    assert found is None or (found not in networks and found.subnet_of(IPv4Network("172.30.0.0/16")))


def test_a_wider_network_takes_all_within_it() -> None:
    assert subnets.pick("lab", [IPv4Network("172.16.0.0/12")]) is None


def test_routes_are_read_and_the_default_route_is_none() -> None:
    assert subnets.routed(ROUTES) == [IPv4Network("172.30.67.0/24"), IPv4Network("172.17.0.0/16")]


def test_machines_are_numbered_from_eleven() -> None:
    assert subnets.machine_address(IPv4Network("172.30.5.0/24"), 3) == "172.30.5.13"
