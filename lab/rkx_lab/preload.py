"""Give machines their images at once: a volume is filled once, and its layers are linked into every machine."""

import fcntl
from collections.abc import Callable, Iterable, Iterator
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
# Layers are never written to once they are there, so links will do; the engine's small databases are copied.
LINK = """set -e
for target in "$@"; do
  cp -al "$SEED/overlay2" "$target/"
  find "$SEED" -mindepth 1 -maxdepth 1 ! -name overlay2 -exec cp -a {} "$target/" \\;
done"""


def seed(
    client: docker.DockerClient, machine_image: str, archives: Iterable[Archive], say: Callable[[str], None]
) -> str:
    """Return the name of a volume that holds /var/lib/docker with these images, filled when it is missing."""
    archives = tuple(archives)
    text = "\n".join(sorted(f"{archive.reference} {archive.id}" for archive in archives))
    key = sha256(text.encode()).hexdigest()[:12]
    name, done = f"rkx-lab-seed-{key}", places.labs() / ".seeds" / key
    with _alone(key):
        if not (done.exists() and _exists(client, name)):
            say(f"loading {len(archives)} images once for all machines")
            _fill(client, name, machine_image, archives)
            done.touch()
            _forget_others(client, name)
    return name


def link(client: docker.DockerClient, machine_image: str, seed: str, volumes: Iterable[str]) -> None:
    """Put the seed's content into empty volumes, as hard links: 1 s and no space for hundreds of megabytes.

    Links do not cross mounts, so a container works in the folder that holds all volumes of the engine.
    """
    root = f"{client.info()['DockerRootDir']}/volumes"
    targets = [f"/volumes/{name}/_data" for name in volumes]
    client.containers.run(
        machine_image,
        ["-c", LINK, "link", *targets],
        entrypoint=["sh"],
        environment={"SEED": f"/volumes/{seed}/_data"},
        volumes=[f"{root}:/volumes"],
        remove=True,
    )


def _fill(client: docker.DockerClient, name: str, machine_image: str, archives: tuple[Archive, ...]) -> None:
    for container in client.containers.list(all=True, filters={"label": f"{LABEL}={name}"}):
        container.remove(force=True, v=True)  # of a run that was interrupted
    if _exists(client, name):
        client.volumes.get(name).remove()
    client.volumes.create(name, labels={LABEL: name})
    container = client.containers.run(
        machine_image,
        dockerd_arguments("127.0.0.1:5000", wrapper=needs_wrapper()),
        detach=True,
        privileged=True,
        cgroupns="private",
        network_mode="none",
        tmpfs={"/run": "", "/tmp": "exec"},
        labels={LABEL: name},
        volumes=[f"{name}:/var/lib/docker", *(f"{archive.path}:/images/{i}:ro" for i, archive in enumerate(archives))],
    )
    try:
        _load(container, len(archives))
        container.stop(timeout=30)
    finally:
        container.remove(force=True)


def _load(container: Container, count: int) -> None:
    ready = "until docker version >/dev/null 2>&1; do sleep 0.1; done"
    loads = " && ".join(f"docker load -q -i /images/{number}" for number in range(count))
    inside.run_in(container, "timeout", "300", "sh", "-c", f"{ready}; {loads}")


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
