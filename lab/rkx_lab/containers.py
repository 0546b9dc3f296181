"""Make one machine: a privileged container with sshd and a Docker Engine of its own."""

import io
import tarfile
from pathlib import Path

import docker
from docker.models.containers import Container
from docker.types import EndpointConfig, Mount

from rkx_lab import keys, networks
from rkx_lab.capability import needs_wrapper
from rkx_lab.engine import WRAPPER
from rkx_lab.state import API_VERSION, LABEL, Lab, Machine

WRAPPER_THERE = "/usr/local/sbin/runc-wrapper"
VOLUMES = ("docker", "kubelet", "etcd")  # each /var/lib/NAME: overlay on overlay would fall back to vfs
MODULES = "/lib/modules"


def create(client: docker.DockerClient, lab: Lab, machine: Machine, image: str) -> Container:
    """Create a machine with empty volumes and the lab's keys in it, not started."""
    volumes = [Mount(f"/var/lib/{name}", volume_name(machine, name), labels={LABEL: lab.name}) for name in VOLUMES]
    tmpfs = {"/run": "", "/tmp": "exec"}
    if Path(MODULES).exists():
        volumes.append(Mount(MODULES, MODULES, type="bind", read_only=True))
    else:
        tmpfs[MODULES] = (
            ""  # every machine with a kernel of its own has the folder; an Engine would make it, and leave it
        )
    network = networks.network_name(lab.name)
    container = client.containers.create(
        image,
        dockerd_arguments(lab.registry, wrapper=needs_wrapper()),
        name=machine.name,
        hostname=machine.name,
        privileged=True,
        cgroupns="private",
        network=network,
        networking_config={network: EndpointConfig(API_VERSION, ipv4_address=machine.address)},
        mounts=volumes,
        tmpfs=tmpfs,
        labels={LABEL: lab.name},
    )
    container.put_archive("/", _files(lab, machine))
    return container


def remove(client: docker.DockerClient, machine: Machine) -> None:
    """Remove a machine and all that it holds; nothing happens when it is not there."""
    for container in client.containers.list(all=True, filters={"name": f"^/{machine.name}$"}):
        container.remove(force=True, v=True)
    for name in VOLUMES:
        for volume in client.volumes.list(filters={"name": f"^{volume_name(machine, name)}$"}):
            volume.remove()


def volume_name(machine: Machine, name: str) -> str:
    """Return the name of a machine's volume for /var/lib/NAME."""
    return f"{machine.name}-{name}"


def host_key_folder(lab: Lab, machine: Machine) -> Path:
    """Return where a machine's host keys are kept."""
    return lab.folder / "hosts" / machine.name


def dockerd_arguments(registry: str, *, wrapper: bool) -> list[str]:
    """Return what a machine's dockerd is started with; docker.io's images are looked for in the lab's registry."""
    line = ["--insecure-registry", registry, "--registry-mirror", f"http://{registry}"]
    return [*line, "--add-runtime", f"lab={WRAPPER_THERE}", "--default-runtime", "lab"] if wrapper else line


def _files(lab: Lab, machine: Machine) -> bytes:
    keys.make_host_keys(host_key_folder(lab, machine))
    accepted = keys.authorized_keys(lab.folder)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        _add(tar, "root/.ssh/authorized_keys", accepted, 0o600, 0)
        _add(tar, "home/ubuntu/.ssh/authorized_keys", accepted, 0o600, 1000)
        _add(tar, WRAPPER_THERE.lstrip("/"), WRAPPER.read_bytes(), 0o755, 0)
        for path in sorted(host_key_folder(lab, machine).iterdir()):
            _add(tar, f"etc/ssh/{path.name}", path.read_bytes(), 0o600, 0)
    return packed.getvalue()


def _add(tar: tarfile.TarFile, name: str, content: bytes, mode: int, owner: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.uid, entry.gid = len(content), mode, owner, owner
    tar.addfile(entry, io.BytesIO(content))
