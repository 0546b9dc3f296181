"""Run a registry on the gateway address of a lab's network, serving one folder for all labs."""

import time
from pathlib import Path

import requests

from rkx_lab import places
from rkx_lab.errors import LabError
from rkx_lab.processes import background, end, lives, with_words
from rkx_lab.state import Lab

START_LIMIT_S = 10.0


def config(address: str, folder: Path) -> str:
    """Return docker-registry's configuration."""
    return (
        "version: 0.1\n"
        "log: {level: warn}\n"
        f"storage: {{filesystem: {{rootdirectory: {folder}}}, maintenance: {{uploadpurging: {{enabled: false}}}}}}\n"
        f"http: {{addr: '{address}'}}\n"
    )


def start(lab: Lab) -> None:
    """Start the lab's registry unless it answers."""
    if answers(lab.registry):
        return
    path = lab.folder / "registry.yml"
    path.write_text(config(lab.registry, places.cache() / "registry"))
    pid = background(["docker-registry", "serve", str(path)], lab.folder / "registry.log")
    deadline = time.monotonic() + START_LIMIT_S
    while not answers(lab.registry):
        if time.monotonic() > deadline or not lives(pid):
            raise LabError(f"the registry did not come up at {lab.registry}; see {lab.folder / 'registry.log'}")
        time.sleep(0.05)  # a listener that does not exist yet can only be polled


def stop(folder: Path) -> None:
    """Stop the registry of the lab in this folder."""
    for pid in with_words("docker-registry", str(folder / "registry.yml")):
        end(pid, 5)


def answers(address: str) -> bool:
    """Return whether a registry answers at this address."""
    try:
        with requests.Session() as session:
            session.trust_env = False
            return session.get(f"http://{address}/v2/", timeout=5).status_code == 200
    except requests.ConnectionError:
        return False
