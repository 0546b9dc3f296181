"""Bring up labs, make their machines anew, and end them."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from ipaddress import IPv4Network
from shutil import rmtree

import docker
from docker.errors import NotFound
from docker.models.containers import Container

from rkx_lab import containers, engine, images, inside, keys, networks, preload, push, registry, subnets
from rkx_lab.archives import Archive
from rkx_lab.errors import LabError
from rkx_lab.state import API_VERSION, LABEL, Lab, Machine, folder_of, load

Say = Callable[[str], None]
ALIASES = {"library/nginx:latest": "echo"}  # what manifests written for the world ask for


def up(name: str, count: int, *, preload_images: bool = True, say: Say = print) -> Lab:
    """Bring up a lab of so many machines, or complete one that is there: start what stopped, make what is missing."""
    if not 1 <= count <= 200:
        raise LabError(f"{count} machines: between 1 and 200 are possible")
    lab = _prepare(name, preload_images, say)
    numbers = range(1, max(count, len(lab.machines)) + 1)
    lab = replace(lab, machines=tuple(_machine(lab, number) for number in numbers))
    lab.save()
    found = images.ensure((images.MACHINE, *images.CLUSTER))
    registry.start(lab)
    _push_all(lab, found)
    with ThreadPoolExecutor() as pool:
        there = list(pool.map(lambda machine: _start(lab, machine), lab.machines))
    _make(lab, [machine for machine, is_there in zip(lab.machines, there, strict=True) if not is_there], found, say)
    _write_known_hosts(lab)
    return lab


def add(lab: Lab, say: Say = print) -> Lab:
    """Add one machine to a lab."""
    return up(lab.name, len(lab.machines) + 1, preload_images=lab.preload, say=say)


def clean(
    lab: Lab, names: Iterable[str] = (), say: Say = print, *, cluster: Mapping[str, Archive] | None = None
) -> None:
    """Make machines anew, all of them by default: same name, address and host keys, nothing else of before.

    They hold the images of ``cluster``, archives by name, in place of this checkout's.
    """
    chosen = [lab.machine(name) for name in names] or list(lab.machines)
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda machine: containers.remove(lab.client(), machine), chosen))
    found = images.ensure((images.MACHINE, *images.CLUSTER))
    if cluster is not None:
        found = {**cluster, images.MACHINE: found[images.MACHINE]}
    _make(lab, chosen, found, say)


def down(name: str) -> None:
    """Remove all that belongs to a lab: machines, volumes, network, registry process, keys."""
    folder = folder_of(name)
    client = _client(engine.ensure())
    only: dict[str, str | list[str] | bool] = {"label": f"{LABEL}={name}"}
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda c: c.remove(force=True, v=True), client.containers.list(all=True, filters=only)))
    for volume in client.volumes.list(filters=only):
        volume.remove()
    for network in client.networks.list(filters=only):
        network.remove()
    registry.stop(folder)
    rmtree(folder, ignore_errors=True)


def names() -> set[str]:
    """Return the names of all labs of which the engine holds something."""
    client = _client(engine.ensure())
    networks_found = client.networks.list(filters={"label": LABEL})
    return {str(network.attrs["Labels"][LABEL]) for network in networks_found}


def containers_of(lab: Lab) -> list[Container]:
    """Return the containers of a lab, those that do not run as well."""
    return lab.client().containers.list(all=True, filters={"label": f"{LABEL}={lab.name}"})


def _prepare(name: str, preload_images: bool, say: Say) -> Lab:
    folder = folder_of(name)
    url = engine.ensure(say)
    subnet = networks.ensure(_client(url), name)
    keys.make_user_keys(folder)
    lab = Lab(name=name, engine=url, subnet=str(subnet), gateway=str(subnet[1]), preload=preload_images)
    return replace(lab, machines=load(name).machines) if (folder / "lab.json").exists() else lab


def _client(url: str) -> docker.DockerClient:
    return docker.DockerClient(base_url=url, version=API_VERSION, timeout=120)


def _machine(lab: Lab, number: int) -> Machine:
    return Machine(name=f"{lab.name}-{number}", address=subnets.machine_address(IPv4Network(lab.subnet), number))


def _push_all(lab: Lab, found: Mapping[str, Archive]) -> None:
    for reference, archive in _named(found).items():
        push.push(lab.registry, archive, reference)


def _start(lab: Lab, machine: Machine) -> bool:
    try:
        container = lab.client().containers.get(machine.name)
    except NotFound:
        return False
    container.start()
    inside.wait_ready(lab, machine.name)
    return True


def _make(lab: Lab, missing: list[Machine], found: Mapping[str, Archive], say: Say) -> None:
    if not missing:
        return
    client = lab.client()
    image = images.into_engine(client, found[images.MACHINE])
    networks.enclose(client, lab.name, image)
    for machine in missing:
        containers.remove(client, machine)  # volumes of a run that was interrupted
        containers.create(client, lab, machine, image)
    if lab.preload:
        seed = preload.seed(client, image, _named(found), say)
        volumes = [containers.volume_name(machine, "docker") for machine in missing]
        preload.link(client, image, seed, volumes, lab.registry)
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda machine: _start(lab, machine), missing))


def _named(found: Mapping[str, Archive]) -> dict[str, Archive]:
    own = {archive.reference: archive for name, archive in found.items() if name != images.MACHINE}
    return own | {reference: found[name] for reference, name in ALIASES.items()}


def _write_known_hosts(lab: Lab) -> None:
    lines = []
    for machine in lab.machines:
        shown = inside.run(lab, machine.name, "sh", "-c", "cat /etc/ssh/ssh_host_*_key.pub")
        lines.append(keys.known_hosts_lines(shown, machine.address))
    lab.known_hosts.write_text("".join(lines))
