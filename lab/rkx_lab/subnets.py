"""Choose the network of a lab, so that labs side by side and other networks of this computer do not meet."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network
from zlib import crc32

FIRST_MACHINE = 11  # .1 is the gateway, where the registry listens


def pick(name: str, taken: Iterable[IPv4Network]) -> IPv4Network | None:
    """Return a free 172.30.X.0/24, the same one for a name as long as it is free; None when all are taken."""
    taken = tuple(taken)
    first = crc32(name.encode()) % 256
    for step in range(256):
        subnet = IPv4Network(f"172.30.{(first + step) % 256}.0/24")
        if not any(subnet.overlaps(other) for other in taken):
            return subnet
    return None


def routed(table: str) -> list[IPv4Network]:
    """Return the networks in the text of /proc/net/route, the default route left out."""
    rows = [line.split() for line in table.splitlines()[1:]]
    return [IPv4Network((_address(row[1]), str(_address(row[7])))) for row in rows if row[1] != "00000000"]


def machine_address(subnet: IPv4Network, number: int) -> str:
    """Return the address of machine 1, 2, ... in this network."""
    return str(subnet[FIRST_MACHINE + number - 1])


def _address(text: str) -> IPv4Address:
    return IPv4Address(int.from_bytes(bytes.fromhex(text), "little"))
