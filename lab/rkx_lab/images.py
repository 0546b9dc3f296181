"""Have the project's images built, and know where their archives lie."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import docker
from docker.errors import ImageNotFound

from rkx_lab import archives
from rkx_lab.archives import Archive
from rkx_lab.errors import LabError

BUILDER = Path(__file__).parents[2] / "images"
MACHINE = "machine"
CLUSTER = ("kubernetes", "etcd", "tools", "flannel", "coredns", "metrics-server", "pause", "echo")


def ensure(names: Iterable[str]) -> dict[str, Archive]:
    """Return the archives of these images by name, those built that are missing."""
    names = tuple(names)
    listed = _list()
    missing = [name for name in names if not listed[name]["built"]]
    if missing and _run("build", *missing, stdout=None).returncode:
        raise LabError(f"the images {', '.join(missing)} were not built; see above")
    return {name: archives.read(Path(listed[name]["archive"])) for name in names}


def variant(name: str) -> Archive:
    """Return the archive of an image that is built for tests alone, such as ``kubernetes+shifted-clock``."""
    done = _run("build", name, stdout=subprocess.PIPE)
    if done.returncode:
        raise LabError(f"the image {name} was not built; see above")
    return archives.read(Path(done.stdout.splitlines()[-1].split(maxsplit=2)[2]))


def into_engine(client: docker.DockerClient, archive: Archive) -> str:
    """Load an image into this computer's engine unless it is there, and return its id."""
    try:
        return str(client.images.get(archive.id).id)
    except ImageNotFound:
        with archive.path.open("rb") as file:
            (image, *_) = client.images.load(file)  # an open file is streamed
        return str(image.id)


def _list() -> dict[str, dict[str, str]]:
    done = _run("list", "--json", stdout=subprocess.PIPE)
    if done.returncode:
        raise LabError(f"the image builder in {BUILDER} does not answer; see above")
    return dict(json.loads(done.stdout))


def _run(*words: str, stdout: int | None) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(BUILDER)}
    line = [sys.executable, "-m", "rkx_images", *words]
    return subprocess.run(line, env=environment, stdout=stdout, text=True, check=False)
