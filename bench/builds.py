"""What is measured: a checkout of rkx with an environment, rkx-node and images of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from circumstances import CHECKOUT, compile_sources, revision
from timed import BIN, Failed, run

from rkx_lab import archives, images, places
from rkx_lab.archives import Archive

OF_OUR_MAKE = ("MAKEFLAGS", "MAKEOVERRIDES", "MFLAGS", "MAKELEVEL")
NO_PART = ("base", images.MACHINE)
"""Images that no node pulls: the machines are the same for both sides."""

LISTS = """from importlib.metadata import distributions
print(*sorted(f"{each.name}=={each.version}" for each in distributions() if each.name != "rkx"))"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """A built checkout: its programs, and the images that its rkx wants on nodes."""

    checkout: Path
    bin: Path
    cluster: Mapping[str, Archive]

    @property
    def revision(self) -> str:
        """What it is at."""
        return revision(self.checkout)

    def libraries(self) -> list[str]:
        """List the libraries of its environment with their versions."""
        return _libraries(self.bin)


def here() -> Build:
    """Return this checkout, which `make bench` has built, as it is."""
    return _built(CHECKOUT, BIN)


def there(name: str) -> Build:
    """Check another revision out and have its own `make images` build it, both once, in the cache."""
    checkout = check_out(name)
    constraints = checkout.with_name(f"{checkout.name}.libraries")
    constraints.write_text("\n".join(_libraries(BIN)) + "\n")
    env = {key: value for key, value in os.environ.items() if key not in OF_OUR_MAKE}
    # Its environment gets the libraries of ours: pyproject.toml pins none, so they are no part of a revision.
    env["PIP_CONSTRAINT"] = str(constraints)
    if subprocess.run(["make", "--no-print-directory", "images"], cwd=checkout, env=env, check=False).returncode:
        raise Failed(f"{name} was not built in {checkout}; see above")
    return _built(checkout, checkout / ".venv/bin")


def check_out(name: str) -> Path:
    """Return a checkout of a revision of this repository, outside of it."""
    commit = run("git", "-C", CHECKOUT, "rev-parse", "--verify", "--end-of-options", f"{name}^{{commit}}").out.strip()
    target = places.cache() / "bench" / commit[:12]
    if not target.exists():
        part = target.with_name(f"{target.name}.part")
        shutil.rmtree(part, ignore_errors=True)  # of a run that was interrupted
        run("git", "clone", "--quiet", "--no-checkout", CHECKOUT, part)
        run("git", "-C", part, "checkout", "--quiet", "--detach", commit)
        part.rename(target)
    return target


def _built(checkout: Path, bin: Path) -> Build:
    compile_sources(checkout, bin=bin)
    paths = {"PYTHONPATH": str(checkout / "images")}
    listed = json.loads(run(bin / "python", "-m", "rkx_images", "list", "--json", env=paths).out)
    wanted = {name: archives.read(Path(each["archive"])) for name, each in listed.items() if name not in NO_PART}
    return Build(checkout=checkout, bin=bin, cluster=wanted)


def _libraries(bin: Path) -> list[str]:
    return run(bin / "python", "-c", LISTS).out.split()
