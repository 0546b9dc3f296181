"""A made-up world for tests: nodes with a Docker Engine, rkx-node and files, and an API server, all in memory.

Real engine code runs against it, through real sockets; nothing leaves the process.
"""

from rkx.testing.kube import FakeKube
from rkx.testing.wire import Request, Response
from rkx.testing.world import FakeTransport, Server, World

__all__ = ["FakeKube", "FakeTransport", "Request", "Response", "Server", "World"]
