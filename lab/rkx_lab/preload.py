"""Return machines their images at once: a volume is filled once, and its layers are linked into every machine."""

import fcntl
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256

import docker
from docker.errors import NotFound
from docker.models.containers import Container

from rkx_lab import inside, places
from rkx_lab.archives import Archive
from rkx_lab.capability import needs_wrapper
from rkx_lab.containers import dockerd_arguments

LABEL = "rkx-lab.seed"
KEPT = 2  # seeds of other image sets that stay
REGISTRY = "registry.invalid"  # stands in a seed for the registry of the lab that takes it
# Layers are never written to once they are there, so links will do; the engine's small databases are copied.
LINK = """set -e
for target in "$@"; do
  cp -al "$SEED/overlay2" "$target/"
  find "$SEED" -mindepth 1 -maxdepth 1 ! -name overlay2 -exec cp -a {} "$target/" \\;
  sed -i "s#$PLACE/#$REGISTRY/#g" "$target/image/overlay2/repositories.json"
done"""
READY = "until docker version >/dev/null 2>&1; do sleep 0.1; done"

Named = Mapping[str, Archive]  # {reference without registry: archive}


def seed(client: docker.DockerClient, machine_image: str, named: Named, say: Callable[[str], None]) -> str:
    """Return the name of a volume that holds /var/lib/docker with these images, filled when it is missing."""
    text = "\n".join(sorted(f"{reference} {archive.id}" for reference, archive in named.items()))
    key = sha256(text.encode()).hexdigest()[:12]
    name, done = f"rkx-lab-seed-{key}", places.labs() / ".seeds" / key
    with _alone(key):
        if not (done.exists() and _exists(client, name)):
            say(f"loading {len(named)} images once for all machines")
            _fill(client, name, machine_image, named)
            done.touch()
            _forget_others(client, name)
    return name


def link(client: docker.DockerClient, machine_image: str, seed: str, volumes: Iterable[str], registry: str) -> None:
    """Put the seed's content into empty volumes, as hard links: no space, little time, whatever the images' size.

    Links do not cross mounts, so a container works in the folder that holds all volumes of the engine.
    """
    root = f"{client.info()['DockerRootDir']}/volumes"
    client.containers.run(
        machine_image,
        ["-c", LINK, "link", *(f"/volumes/{name}/_data" for name in volumes)],
        entrypoint=["sh"],
        environment={"SEED": f"/volumes/{seed}/_data", "PLACE": REGISTRY, "REGISTRY": registry},
        volumes=[f"{root}:/volumes"],
        network_mode="none",
        remove=True,
    )


def _fill(client: docker.DockerClient, name: str, machine_image: str, named: Named) -> None:
    for container in client.containers.list(all=True, filters={"label": f"{LABEL}={name}"}):
        container.remove(force=True, v=True)  # of a run that was interrupted
    if _exists(client, name):
        client.volumes.get(name).remove()
    client.volumes.create(name, labels={LABEL: name})
    paths = sorted({archive.path for archive in named.values()})
    container = client.containers.run(
        machine_image,
        dockerd_arguments("127.0.0.1:5000", wrapper=needs_wrapper()),
        detach=True,
        privileged=True,
        cgroupns="private",
        network_mode="none",
        tmpfs={"/run": "", "/tmp": "exec"},
        labels={LABEL: name},
        volumes=[f"{name}:/var/lib/docker", *(f"{path}:/images/{number}:ro" for number, path in enumerate(paths))],
    )
    try:
        _load(container, len(paths), named)
        container.stop(timeout=30)
    finally:
        container.remove(force=True)


def _load(container: Container, count: int, named: Named) -> None:
    loads = [f"docker load -q -i /images/{number}" for number in range(count)]
    tags = [f"docker tag {archive.id} {REGISTRY}/{reference}" for reference, archive in named.items()]
    # Of docker load's own names none stays: the machine holds what it would hold had it pulled.
    own = [f"docker rmi {reference}" for reference in {archive.reference for archive in named.values()}]
    script = "\n".join([READY, *loads, *tags, *own])
    inside.run_in(container, "timeout", "300", "sh", "-ec", script)


def _exists(client: docker.DockerClient, volume: str) -> bool:
    try:
        client.volumes.get(volume)
    except NotFound:
        return False
    return True


def _forget_others(client: docker.DockerClient, name: str) -> None:
    seeds = client.volumes.list(filters={"label": LABEL})
    others = sorted((volume for volume in seeds if volume.name != name), key=lambda v: str(v.attrs["CreatedAt"]))
    for volume in others[:-KEPT]:
        volume.remove()


@contextmanager
def _alone(key: str) -> Iterator[None]:
    folder = places.labs() / ".seeds"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{key}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
