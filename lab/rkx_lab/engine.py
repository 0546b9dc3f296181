"""Find a Docker Engine that can run machines, or start one."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import docker
from docker.errors import DockerException
from requests.exceptions import RequestException

from rkx_lab import places
from rkx_lab.capability import needs_wrapper
from rkx_lab.errors import LabError
from rkx_lab.leftovers import clear
from rkx_lab.processes import background, end, lives, read_pid, runs

DEFAULT = "unix:///var/run/docker.sock"
START_LIMIT_S = 60.0
WRAPPER = Path(__file__).with_name("runc-wrapper")


def answering(url: str) -> docker.DockerClient | None:
    """Return a client of the engine at this address, None when nothing answers there."""
    if not _listens(url):  # docker-py leaves a socket open where its connection is refused
        return None
    try:
        client = docker.DockerClient(base_url=url, version="auto", timeout=60)
        client.ping()
    except (DockerException, RequestException, OSError):
        return None
    return client


def _listens(url: str) -> bool:
    scheme, _, path = url.partition("://")
    if scheme != "unix":
        return True
    with socket.socket(socket.AF_UNIX) as probe:
        return not probe.connect_ex(path)


def suits(client: docker.DockerClient) -> bool:
    """Return whether the engine can run privileged containers here: with plain runc only where nothing is missing."""
    info = client.info()
    return not needs_wrapper() or info["Runtimes"][info["DefaultRuntime"]]["path"] != "runc"


def ensure(say: Callable[[str], None] = print) -> str:
    """Return the address of an engine that suits, starting one when none answers; the first of three that does.

    Asked in this order: $DOCKER_HOST, the usual socket, the lab's own socket. An engine that answers on the usual
    socket but lacks the wrapper stays as it is, and ours is started beside it.
    """
    own = f"unix://{places.engine_run()}/docker.sock"
    taken = False
    for url in (os.environ.get("DOCKER_HOST"), DEFAULT, own):
        if not url or not (client := answering(url)):
            continue
        if suits(client):
            return url
        taken = taken or url == DEFAULT
        say(f"the engine at {url} has no runc wrapper, which this computer needs (no CAP_SYS_RESOURCE): not used")
    start(own if taken else DEFAULT, say)
    return own if taken else DEFAULT


def command(url: str) -> list[str]:
    """Return the command line of our own dockerd."""
    data, run = places.engine_data(), places.engine_run()
    line = ["dockerd", "--host", url, "--data-root", f"{data}/data", "--exec-root", f"{run}/exec"]
    line += ["--pidfile", f"{run}/docker.pid", "--log-level", "warn"]
    if url != DEFAULT:
        line += ["--bridge", "none"]  # docker0 belongs to the engine on the usual socket
    if needs_wrapper():
        line += ["--add-runtime", f"lab={data}/runc-wrapper", "--default-runtime", "lab"]
    return line


def start(url: str, say: Callable[[str], None] = print) -> None:
    """Start our own engine in the background, after what an engine that died has left was cleared away."""
    if os.geteuid() != 0:
        return _start_as_root(url)
    data, run = places.engine_data(), places.engine_run()
    for folder in (data, run):
        folder.mkdir(parents=True, exist_ok=True)
    stop()
    clear(data, run)
    shutil.copy(WRAPPER, data)  # the engine outlives this checkout
    say(f"starting a Docker Engine at {url} (log: {data}/engine.log)")
    pid = background([*command(url), *_group()], data / "engine.log")
    _wait(url, pid, data / "engine.log")


def stop(timeout_s: float = 30.0) -> bool:
    """Stop the engine that we started, by the process id in its pid file; False when none runs."""
    pid_file = places.engine_run() / "docker.pid"
    pid = read_pid(pid_file)
    if pid is None or not runs(pid, "dockerd", str(pid_file)):
        return False
    end(pid, timeout_s)
    return True


def _group() -> list[str]:
    gid = os.environ.get("SUDO_GID")  # whoever used sudo may use the socket
    return ["--group", gid] if gid else []


def _start_as_root(url: str) -> None:
    keep = [f"{name}={os.environ[name]}" for name in ("RKX_LAB_HOME", "RKX_CACHE", "PATH") if name in os.environ]
    program = [sys.executable, "-m", "rkx_lab", "engine-up", url]
    line = ["sudo", "env", *keep, f"PYTHONPATH={Path(__file__).parents[1]}", *program]
    if subprocess.run(line, check=False).returncode:
        raise LabError("the Docker Engine was not started: it needs root. Use root, or a user who may use sudo.")


def _wait(url: str, pid: int, log: Path) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while answering(url) is None:
        if time.monotonic() > deadline or not lives(pid):
            last = "\n".join(log.read_text(errors="replace").splitlines()[-5:])
            raise LabError(f"dockerd did not come up at {url}; the end of {log}:\n{last}")
        time.sleep(0.1)  # a socket that does not exist yet can only be polled; the time is limited
