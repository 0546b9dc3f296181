"""Make and find the Docker network of a lab."""

from collections.abc import Iterator
from ipaddress import IPv4Network
from pathlib import Path

import docker
from docker.errors import APIError, NotFound
from docker.types import IPAMConfig, IPAMPool

from rkx_lab import subnets
from rkx_lab.errors import LabError
from rkx_lab.state import LABEL


def ensure(client: docker.DockerClient, name: str) -> IPv4Network:
    """Return the address range of the lab's network, made when it is missing."""
    try:
        return next(_ranges(client.networks.get(network_name(name)).attrs))
    except NotFound:
        return _make(client, name)


def enclose(client: docker.DockerClient, name: str, image: str) -> None:
    """Refuse what machines send to anywhere outside their network, as nothing there may hear of a lab.

    A service's address that is not translated yet would else leave by the default route, and something far away
    might answer it.
    """
    bridge = f"br-{str(client.networks.get(network_name(name)).id)[:12]}"
    rule = f"DOCKER-USER -i {bridge} ! -o {bridge} -j REJECT"
    each = f"$t -w -C {rule} 2>/dev/null || $t -w -I {rule} 2>/dev/null"
    script = f"for t in iptables iptables-legacy; do {each} && exit 0; done; exit 1"
    client.containers.run(image, ["-c", script], entrypoint=["sh"], network_mode="host", privileged=True, remove=True)


def network_name(lab: str) -> str:
    """Return the name of a lab's network."""
    return f"rkx-lab-{lab}"


def _make(client: docker.DockerClient, name: str) -> IPv4Network:
    taken = [found for network in client.networks.list() for found in _ranges(network.attrs)]
    taken += subnets.routed(Path("/proc/net/route").read_text())
    refused: list[IPv4Network] = []
    while subnet := subnets.pick(name, taken + refused):
        pool = IPAMPool(subnet=str(subnet), gateway=str(subnet[1]))
        try:
            client.networks.create(network_name(name), ipam=IPAMConfig(pool_configs=[pool]), labels={LABEL: name})
        except APIError as error:
            if "overlap" not in str(error.explanation):
                raise
            refused.append(subnet)  # another lab was faster
        else:
            return subnet
    raise LabError("no free network in 172.30.0.0/16: end other labs with `rkx-lab down`")


def _ranges(network: dict[str, dict[str, list[dict[str, str]] | None]]) -> Iterator[IPv4Network]:
    for pool in network["IPAM"]["Config"] or []:
        if "." in pool.get("Subnet", ""):
            yield IPv4Network(pool["Subnet"])
