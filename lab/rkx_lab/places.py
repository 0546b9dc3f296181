"""Where the lab keeps things on this computer."""

import os
from hashlib import sha256
from pathlib import Path


def cache() -> Path:
    """Return the cache folder that the image builder fills ($RKX_CACHE, else below the user's cache)."""
    if chosen := os.environ.get("RKX_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rkx"


def labs() -> Path:
    """Return the folder with one folder a lab ($RKX_LAB_HOME, else below the cache folder)."""
    return Path(os.environ.get("RKX_LAB_HOME") or cache() / "lab")


def engine_data() -> Path:
    """Return the folder of the lab's own Docker Engine: data, log and pid file."""
    home = os.environ.get("RKX_LAB_HOME")
    return Path(home).resolve() / ".engine" if home else Path("/var/lib/rkx-lab/engine")


def engine_run() -> Path:
    """Return the folder of the engine's sockets, short because a unix socket's path ends at 107 bytes."""
    return Path("/run/rkx-lab") / sha256(str(engine_data()).encode()).hexdigest()[:8]
