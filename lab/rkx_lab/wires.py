"""Faults of the network between machines."""

from rkx_lab import inside
from rkx_lab.errors import LabError
from rkx_lab.state import Lab

LOSS = ("-i", "eth0", "-m", "statistic", "--mode", "random", "--probability")


def cut(lab: Lab, machine: str) -> None:
    """Pull a machine's network cable: its side shows no carrier; addresses and routes stay as they are."""
    _peer(lab, machine, "down")


def join(lab: Lab, machine: str) -> None:
    """Plug a machine's network cable in again."""
    _peer(lab, machine, "up")


def delay(lab: Lab, machine: str, milliseconds: int) -> None:
    """Delay what a machine sends. LabError where the kernel has no netem; a SlowLink delays SSH without it."""
    _netem(lab, machine, "delay", f"{milliseconds}ms")


def lose(lab: Lab, machine: str, percent: float) -> None:
    """Drop some of the packets that a machine is sent, by a rule in its table `raw`: every kernel can do that."""
    heal(lab, machine)
    probability = str(percent / 100)
    inside.run(lab, machine, "iptables", "-t", "raw", "-I", "PREROUTING", *LOSS, probability, "-j", "DROP")


def heal(lab: Lab, machine: str) -> None:
    """End delay and loss."""
    inside.run(lab, machine, "sh", "-c", "tc qdisc del dev eth0 root 2>/dev/null; true")
    script = (
        "iptables-save -t raw | sed -n '/statistic.*DROP/s/^-A/-D/p' | while read -r r; do iptables -t raw $r; done"
    )
    inside.run(lab, machine, "sh", "-c", script)


def _netem(lab: Lab, machine: str, *what: str) -> None:
    try:
        inside.run(lab, machine, "tc", "qdisc", "replace", "dev", "eth0", "root", "netem", *what)
    except LabError as error:
        raise LabError(f"this computer's kernel cannot delay packets (no netem): {error}") from error


def _peer(lab: Lab, machine: str, direction: str) -> None:
    # The other end of a machine's eth0 is an interface of this computer; a container on its network may turn it off.
    client = lab.client()
    container = client.containers.get(lab.machine(machine).name)
    index = inside.run(lab, machine, "cat", "/sys/class/net/eth0/iflink").strip()
    find = f"for i in /sys/class/net/*; do [ $(cat $i/ifindex) != {index} ] || ip link set ${{i##*/}} {direction}; done"
    image = str(container.attrs["Image"])
    client.containers.run(image, ["-ec", find], entrypoint=["sh"], network_mode="host", privileged=True, remove=True)
