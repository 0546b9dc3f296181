"""Which folders of a node rkx-node sees, and where it shows them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any, Literal

import msgspec

from rkx.model.resource import NODE_PROGRAM

Profile = Literal["files", "host"]
NAMES: Mapping[Profile, str] = {"files": "rkx-node", "host": "rkx-host"}
"""The two containers of rkx-node."""
OWN_FOLDER = "/var/lib/rkx"
STATE_FOLDER = f"{OWN_FOLDER}/state"
STATE_COPY = f"{STATE_FOLDER}/cluster.rkxstate"
PROGRAM_FOLDER = NODE_PROGRAM.rpartition("/")[0]
LOOK = "/look"
"""Where the ``files`` container shows all that is read: one archive, as each costs Docker 20 two processes."""
LOOK_COPY, LOOK_READ, LOOK_PROGRAM = f"{LOOK}/copy", f"{LOOK}/read", f"{LOOK}/self"
"""The last one is last in the archive, which is read up to the program's own entry."""
HELD_MODE = 0o755
MOST_FOLDERS = 100
"""Of each kind, on a node: each is asked for by itself. The built-in plugins describe a dozen."""


def within(path: str, folder: str) -> bool:
    """Return whether a path is a folder or lies in it."""
    return f"{path}/".startswith(f"{folder}/")


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """Which folders the ``files`` profile sees.

    ``read`` are compared file by file, ``guard`` by their own mode and owner. Those that everybody may enter, and whose
    content is not ours, are made once and then held: ``hold``.
    """

    read: tuple[str, ...] = ()
    guard: tuple[str, ...] = ()
    hold: tuple[str, ...] = ()

    @property
    def roots(self) -> tuple[str, ...]:
        """List the topmost of what is read, guarded or ours: these are bound, never one inside another."""
        every = sorted({*self.read, *self.guard, OWN_FOLDER})
        return tuple(path for path in every if not any(path.startswith(f"{other}/") for other in every))

    @property
    def binds(self) -> list[str]:
        """List the binds: each root at its own path, and once more what is looked at."""
        read = (f"{path}:{LOOK_READ}{path}:ro" for path in self.read)
        own = (f"{STATE_FOLDER}:{LOOK_COPY}:ro", f"{PROGRAM_FOLDER}:{LOOK_PROGRAM}:ro")
        return [*(f"{root}:{root}" for root in self.roots), *read, *own]

    @property
    def labels(self) -> dict[str, str]:
        """Return the labels by which it is known again."""
        return {f"rkx.{name}": ":".join(getattr(self, name)) for name in self.__struct_fields__}

    @classmethod
    def of_labels(cls, labels: Mapping[str, str]) -> Layout:
        """Read ``labels`` back, which a node shows: of more than ``MOST_FOLDERS``, which it made up, the first."""
        found = {n: filter(None, labels.get(f"rkx.{n}", "").split(":")) for n in cls.__struct_fields__}
        return cls(**{name: tuple(islice(dict.fromkeys(paths), MOST_FOLDERS)) for name, paths in found.items()})


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """How rkx-node should be installed: its size, and the digest of each container's settings."""

    size: int
    digests: Mapping[str, str]

    def fits(self, containers: Mapping[str, Any]) -> bool:
        """Return whether both containers are made as this rkx makes them."""
        return all(containers[name].digest == digest for name, digest in self.digests.items())
