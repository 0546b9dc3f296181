"""What is known about a lab, and the file that keeps it."""

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

import docker

from rkx_lab import places
from rkx_lab.errors import LabError

LABEL = "rkx-lab"  # on every object of the engine that belongs to a lab; its value is the lab's name
API_VERSION = "1.41"  # Docker 20.10, the first with private cgroup namespaces


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """One machine; its name is that of its container and its host name."""

    name: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lab:
    """One lab: its network, its machines and the engine that runs them."""

    name: str
    engine: str
    subnet: str
    gateway: str
    preload: bool
    machines: tuple[Machine, ...] = ()

    @property
    def folder(self) -> Path:
        """Folder of the lab's keys and files."""
        return folder_of(self.name)

    @property
    def registry(self) -> str:
        """Host and port of the registry, as machines reach it."""
        return f"{self.gateway}:5000"

    @property
    def key(self) -> Path:
        """Ed25519 key that users root and ubuntu of every machine accept."""
        return self.folder / "id_ed25519"

    @property
    def rsa_key(self) -> Path:
        """RSA key that they accept as well."""
        return self.folder / "id_rsa"

    @property
    def known_hosts(self) -> Path:
        """Host keys of all machines."""
        return self.folder / "known_hosts"

    def client(self) -> docker.DockerClient:
        """Return a new client of the engine that runs the machines; use one per thread."""
        return docker.DockerClient(base_url=self.engine, version=API_VERSION, timeout=120)

    def machine(self, name: str) -> Machine:
        """Return the machine of this name; its number alone will do."""
        for machine in self.machines:
            if name in (machine.name, machine.name.removeprefix(f"{self.name}-")):
                return machine
        known = ", ".join(machine.name for machine in self.machines)
        raise LabError(f"lab {self.name} has no machine {name!r}; it has {known}")

    def save(self) -> None:
        """Write lab.json."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (self.folder / "lab.json").write_text(json.dumps(asdict(self), indent=2) + "\n")


def folder_of(name: str) -> Path:
    """Return the folder of the lab of this name, which must be fit for a host name."""
    if not re.fullmatch(r"[a-z]([a-z0-9-]{0,30}[a-z0-9])?", name):
        raise LabError(f"lab name {name!r}: use lower-case letters, digits and hyphens, a letter first, at most 32")
    return places.labs() / name


def load(name: str) -> Lab:
    """Read lab.json; LabError when there is no such lab."""
    path = folder_of(name) / "lab.json"
    try:
        values = json.loads(path.read_text())
    except FileNotFoundError:
        raise LabError(f"no lab {name!r} ({path} is missing); make it with: rkx-lab up --name {name}") from None
    return Lab(**values | {"machines": tuple(Machine(**machine) for machine in values["machines"])})
