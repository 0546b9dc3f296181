"""A made-up world for tests: nodes with a Docker Engine, rkx-node and files, and an API server, all in memory.

Real engine code runs against it, through real sockets; nothing leaves the process. Beside it, ``plugin`` and
``conformance`` try any plugin by the laws that all keep. The names here are loaded when first asked for, since pytest
loads ``rkx.testing.plugin`` before coverage looks.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rkx.testing.kube import FakeKube
    from rkx.testing.wire import Request, Response
    from rkx.testing.world import FakeTransport, FakeWorld, Server

_HOMES = {
    "rkx.testing.kube": "FakeKube",
    "rkx.testing.wire": "Request Response",
    "rkx.testing.world": "FakeTransport Server FakeWorld",
}
_HOME = {name: home for home, names in _HOMES.items() for name in names.split()}
__all__ = ["FakeKube", "FakeTransport", "Request", "Response", "Server", "FakeWorld"]


if not TYPE_CHECKING:  # or a checker would take every misspelt name for an object

    def __getattr__(name: str) -> object:
        if home := _HOME.get(name):
            return getattr(importlib.import_module(home), name)
        raise AttributeError(f"module 'rkx.testing' has no attribute {name!r}")
