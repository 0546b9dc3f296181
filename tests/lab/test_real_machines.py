"""The lab itself, on real machines: what every other test on machines builds upon."""

import socket
import subprocess
import time
from collections.abc import Iterator

import paramiko
import pytest

from rkx_lab import clocks, disks, engine, faults, inside, keys, machines, wires
from rkx_lab.errors import LabError
from rkx_lab.slow_link import Line, SlowLink
from rkx_lab.state import Lab, Machine

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]
NAME = "lab-test"


def say_nothing(text: str) -> None:
    """Take a line of progress."""


def objects() -> set[str]:
    """List all containers, networks and volumes of the engine, but what is kept for all labs."""
    url = engine.ensure(say_nothing)
    found: set[str] = set()
    for kind in (["ps", "-a"], ["network", "ls"], ["volume", "ls"]):
        line = ["docker", "--host", url, *kind, "-q", "--filter", "label=rkx-lab"]
        found |= set(subprocess.run(line, capture_output=True, text=True, check=True).stdout.split())
    return found


@pytest.fixture(scope="module")
def three() -> Iterator[Lab]:
    """Bring up three machines, and check at the end that nothing of them is left."""
    machines.down(NAME)
    before = objects()
    yield machines.up(NAME, 3, say=say_nothing)
    machines.down(NAME)
    assert objects() == before


def ssh(lab: Lab, command: str, *, machine: int = 0, user: str = "root", rsa: bool = False) -> str:
    """Run a command over SSH, the host key checked against the lab's known_hosts."""
    with paramiko.SSHClient() as client:
        client.load_host_keys(str(lab.known_hosts))
        client.set_missing_host_key_policy(paramiko.RejectPolicy())
        path = lab.rsa_key if rsa else lab.key
        address = lab.machines[machine].address
        options = {"look_for_keys": False, "allow_agent": False, "timeout": 5, "banner_timeout": 5}
        client.connect(address, username=user, key_filename=str(path), **options)  # type: ignore[arg-type]
        _, out, _ = client.exec_command(command, timeout=60)
        return out.read().decode()


def test_users_log_in_with_either_key_and_may_use_docker(three: Lab) -> None:
    for number in range(3):
        assert ssh(three, "docker version -f '{{.Server.Os}}'", machine=number).strip() == "linux"
    assert ssh(three, "id -un; docker version -f '{{.Server.Os}}'", user="ubuntu", rsa=True).split() == [
        "ubuntu",
        "linux",
    ]


def test_machines_hold_the_images_and_pull_the_world_s_names_from_the_registry(three: Lab) -> None:
    held = ssh(three, "docker images --format '{{.Repository}}:{{.Tag}}'").split()
    assert f"{three.registry}/rkx/echo:1" in held
    pulled = inside.run(three, "1", "docker", "pull", "-q", "nginx")
    assert pulled.strip() == "docker.io/library/nginx:latest"


def test_containers_of_two_machines_reach_each_other(three: Lab) -> None:
    run = ("docker", "run", "-d", "--name", "echo", "--net", "host", f"{three.registry}/rkx/echo:1")
    inside.run(three, "2", *run)
    script = "exec 3<>/dev/tcp/$0/80; printf 'GET /hello HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3"
    got = inside.run(three, "1", "timeout", "10", "bash", "-c", script, three.machines[1].address)
    assert "/hello" in got


def test_privileged_containers_run(three: Lab) -> None:
    image = f"{three.registry}/rkx/echo:1"
    assert inside.run(three, "3", "docker", "run", "-d", "--privileged", "--oom-score-adj=-998", image).strip()


def test_a_restart_is_a_boot_and_containers_come_back(three: Lab) -> None:
    run = ("docker", "run", "-d", "--name", "stays", "--restart", "always", f"{three.registry}/rkx/echo:1")
    inside.run(three, "1", *run)
    inside.run(three, "1", "touch", "/run/left", "/tmp/left", "/etc/kept")
    boot = inside.run(three, "1", "cat", "/proc/sys/kernel/random/boot_id")
    identity = inside.run(three, "1", "cat", "/etc/machine-id")
    faults.restart(three, "1")
    assert inside.run(three, "1", "sh", "-c", "ls /run/left /tmp/left /etc/kept 2>/dev/null; true") == "/etc/kept\n"
    assert inside.run(three, "1", "cat", "/proc/sys/kernel/random/boot_id") != boot
    assert inside.run(three, "1", "cat", "/etc/machine-id") == identity
    assert "stays" in ssh(three, "docker ps --format '{{.Names}}'")


def test_a_machine_that_lost_power_starts_again(three: Lab) -> None:
    faults.kill(three, "2")
    faults.start(three, "2")
    assert ssh(three, "docker version -f '{{.Server.Os}}'", machine=1).strip() == "linux"


@pytest.mark.parametrize("signal", ["TERM", "KILL"])
def test_dockerd_alone_restarts(three: Lab, signal: str) -> None:
    before = inside.run(three, "1", "pidof", "dockerd")
    faults.restart_dockerd(three, "1", signal)
    assert inside.run(three, "1", "pidof", "dockerd") != before


def test_dockerd_stays_down_until_it_is_started(three: Lab) -> None:
    faults.stop_dockerd(three, "1")
    with pytest.raises(LabError, match="Is the docker daemon running"):
        inside.run(three, "1", "docker", "version")
    faults.start_dockerd(three, "1")
    inside.run(three, "1", "docker", "version")


def test_a_paused_machine_connects_and_says_nothing(three: Lab) -> None:
    faults.pause(three, "3")
    try:
        with socket.create_connection((three.machines[2].address, 22), timeout=2) as end:
            end.settimeout(1)
            with pytest.raises(TimeoutError):
                end.recv(1)
    finally:
        faults.unpause(three, "3")
    assert ssh(three, "true", machine=2) == ""


def test_a_cut_machine_is_silent_and_comes_back_as_it_was(three: Lab) -> None:
    routes = inside.run(three, "3", "ip", "route")
    wires.cut(three, "3")
    with pytest.raises(OSError, match=r"timed out|No route"):
        socket.create_connection((three.machines[2].address, 22), timeout=1)
    wires.join(three, "3")
    assert ssh(three, "true", machine=2) == ""
    assert inside.run(three, "3", "ip", "route") == routes


def test_packets_get_lost_until_the_line_is_healed(three: Lab) -> None:
    before = inside.run(three, "2", "iptables-save", "-t", "raw").count("DROP")
    wires.lose(three, "2", 100)
    with pytest.raises(TimeoutError):
        socket.create_connection((three.machines[1].address, 22), timeout=1)
    wires.heal(three, "2")
    assert ssh(three, "true", machine=1) == ""
    assert inside.run(three, "2", "iptables-save", "-t", "raw").count("DROP") == before


def test_delay_works_or_says_what_the_kernel_lacks(three: Lab) -> None:
    def handshake() -> float:
        begun = time.monotonic()
        socket.create_connection((three.machines[1].address, 22), timeout=5).close()
        return time.monotonic() - begun

    try:
        wires.delay(three, "2", 200)
    except LabError as error:
        assert "no netem" in str(error)  # noqa: PT017 - the other outcome is a delay
    else:
        assert handshake() >= 0.2
    wires.heal(three, "2")
    assert handshake() < 0.2


def test_a_full_folder_takes_nothing_until_it_is_freed(three: Lab) -> None:
    inside.run(three, "1", "sh", "-c", "mkdir -p /etc/full && echo kept >/etc/full/old")
    disks.fill(three, "1", "/etc/full")
    with pytest.raises(LabError, match="No space left on device"):
        inside.run(three, "1", "sh", "-c", "seq 9999 >/etc/full/new")
    disks.free(three, "1", "/etc/full")
    inside.run(three, "1", "sh", "-c", "seq 9999 >/etc/full/new")
    assert inside.run(three, "1", "cat", "/etc/full/old") == "kept\n"


def test_a_bad_line_to_sshd_passes_the_banner_and_breaks(three: Lab) -> None:
    target = (three.machines[0].address, 22)
    with SlowLink(target, Line(cut_after=21)) as link, socket.create_connection((link.address, link.port)) as end:
        assert end.makefile("rb").read().startswith(b"SSH-2.0-OpenSSH")
    shown = inside.run(three, "1", "sh", "-c", "cat /etc/ssh/*.pub")
    assert keys.known_hosts_lines(shown, "127.0.0.1", link.port).startswith(f"[127.0.0.1]:{link.port} ")


def test_a_program_s_clock_is_shifted() -> None:
    shifted = subprocess.run(["date", "+%s"], env=clocks.shifted(600), capture_output=True, text=True, check=True)
    assert 595 < int(shifted.stdout) - time.time() < 605


def test_a_clean_machine_has_its_name_address_and_host_keys_and_nothing_else(three: Lab) -> None:
    inside.run(three, "1", "touch", "/etc/left")
    machines.clean(three, ["1"], say=say_nothing)
    assert ssh(three, "ls /etc/left 2>/dev/null; docker ps -aq; hostname").strip() == three.machines[0].name


def test_a_lab_grows_and_two_labs_live_side_by_side(three: Lab) -> None:
    grown = machines.add(three, say=say_nothing)
    assert [machine.name for machine in grown.machines] == [f"{NAME}-{number}" for number in range(1, 5)]
    assert ssh(grown, "hostname", machine=3).strip() == f"{NAME}-4"
    try:
        other = machines.up(f"{NAME}-b", 1, say=say_nothing)
        assert other.subnet != grown.subnet
        assert other.machines == (Machine(name=f"{NAME}-b-1", address=other.machines[0].address),)
        assert ssh(other, "hostname").strip() == f"{NAME}-b-1"
    finally:
        machines.down(f"{NAME}-b")
