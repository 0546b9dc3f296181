"""One node as the engine reaches it: Docker clients and HTTP sessions over the transport's streams."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import requests
import urllib3
from requests.adapters import HTTPAdapter

from rkx.errors import ConnectFailed, PartlyDone, StreamRefused, TimedOut
from rkx.transport import DialForbidden, Dials, Transport

if TYPE_CHECKING:
    from docker import APIClient

    from rkx.engine.relay import Relays

Connect = Callable[[], socket.socket]
TIMEOUT_S = 60.0
KEPT = 8
"""So many idle streams a session keeps; more are opened as they are wanted."""
WAITS = 10
"""Who wants a stream where they are few waits for so many answers of others at most."""
PING_TIMEOUT_S = 8.0
_AGAIN = "run again; what was done is recognised"


class _Connection(urllib3.connection.HTTPConnection):
    def __init__(self, connect: Connect, timeout_s: float) -> None:
        super().__init__("node", timeout=timeout_s)
        self._open = connect

    def connect(self) -> None:
        self.sock = self._open()
        self.sock.settimeout(self.timeout if isinstance(self.timeout, int | float) else TIMEOUT_S)


class _Pool(urllib3.HTTPConnectionPool):
    def __init__(self, connect: Connect, timeout_s: float, at_most: int) -> None:
        super().__init__("node", maxsize=at_most or KEPT, block=bool(at_most))
        self._connect, self._timeout_s = connect, timeout_s

    def _get_conn(self, timeout: float | None = None) -> Any:  # noqa: ANN401 - urllib3 keeps the type to itself
        """Wait for a free stream, which whoever has it gives back in time: requests would wait for ever."""
        return super()._get_conn(timeout or WAITS * self._timeout_s)

    def _new_conn(self) -> urllib3.connection.HTTPConnection:
        return _Connection(self._connect, self._timeout_s)


class StreamAdapter(HTTPAdapter):
    """Let requests speak over sockets that ``connect`` opens, whatever host the address names.

    With ``at_most`` so many are open at once, and who wants one more waits for one to become free.
    """

    def __init__(self, connect: Connect, *, timeout_s: float = TIMEOUT_S, at_most: int = 0) -> None:
        self._pool, self._timeout_s = _Pool(connect, timeout_s, at_most), timeout_s
        super().__init__()

    def get_connection_with_tls_context(self, *_args: Any, **_kwargs: Any) -> urllib3.HTTPConnectionPool:  # noqa: ANN401
        """Give the one pool there is."""
        return self._pool

    def request_url(self, request: requests.PreparedRequest, proxies: Any) -> str:  # noqa: ANN401
        """Give the path alone; no proxy is ever asked."""
        return request.path_url

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:  # noqa: ANN401
        """Send over a stream that is free, or becomes so in time; without a limit of its own it has the adapter's."""
        try:
            return super().send(request, *args, **{**kwargs, "timeout": kwargs.get("timeout") or self._timeout_s})
        except urllib3.exceptions.EmptyPoolError as error:
            raise requests.ConnectionError("no stream became free in time", request=request) from error

    def close(self) -> None:
        """Close the streams."""
        self._pool.close()
        super().close()


def session(connect: Connect, *, timeout_s: float = TIMEOUT_S, at_most: int = 0) -> requests.Session:
    """Give an HTTP session whose every connection is one that ``connect`` opens; TLS, if any, is connect's."""
    made = requests.Session()
    made.trust_env = False
    made.mount("http://", StreamAdapter(connect, timeout_s=timeout_s, at_most=at_most))
    return made


def get(engine: requests.Session, path: str, **params: str) -> Any:  # noqa: ANN401 - JSON
    """Ask an Engine; None if it knows no such thing. Not by docker-py, whose import takes longer than a look."""
    answer = engine.get(f"http://node{path}", params=params)
    if answer.status_code == requests.codes.not_found:
        return None
    answer.raise_for_status()
    return answer.json()


def _said(error: requests.HTTPError) -> object:
    """Give the Engine's own words: docker-py has read them already."""
    try:
        return getattr(error, "explanation", None) or error.response.json()["message"]
    except (ValueError, KeyError):
        return error


class Link:
    """One node and the open way to it. Every call may come from any thread; each client belongs to one action.

    ``guard`` is called directly before each request that may change something, and raises where that must not be.
    """

    def __init__(self, name: str, transport: Transport, relays: Relays | None = None) -> None:
        self.name = name
        self._transport = transport
        self._relays = relays
        self._dials: bool | None = None if isinstance(transport, Dials) else False
        self._api_version = ""
        self._lock = threading.Lock()
        self.guard: Callable[[], None] | None = None

    @contextlib.contextmanager
    def docker(self, *, timeout_s: float = TIMEOUT_S) -> Iterator[APIClient]:
        """Lend a Docker client of its own streams; trouble with these, and what the Engine refuses, is an RkxError.

        docker-py's own errors pass where the caller catches them inside.
        """
        from docker.errors import DockerException

        client = self.client(timeout_s=timeout_s)
        try:
            with self._translated():
                yield client
        except DockerException as error:
            raise self._refused(error) from error
        finally:
            client.close()

    @contextlib.contextmanager
    def http(self, *, timeout_s: float = TIMEOUT_S) -> Iterator[requests.Session]:
        """Lend a plain HTTP session with the Engine, to look at things; errors as above."""
        with self._translated(), session(self._transport.engine, timeout_s=timeout_s) as plain:
            yield plain

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except requests.HTTPError as error:
            raise self._refused(_said(error)) from error
        except (requests.RequestException, OSError) as error:
            raise ConnectFailed(f"{self.name}: the stream broke: {error}", node=self.name, hint=_AGAIN) from error

    def _refused(self, why: object) -> PartlyDone:
        return PartlyDone(f"{self.name}: the Engine says: {why}", hint="mend it, then run again")

    def client(self, *, timeout_s: float) -> APIClient:
        """Give a Docker client that the caller closes."""
        from docker import APIClient

        client = APIClient(base_url="tcp://node:2375", version=self.api_version(), timeout=int(timeout_s))
        client.trust_env = False
        client.auth = self._guarded  # which is what requests calls with each request before it sends it
        client.mount("http://", StreamAdapter(self._transport.engine, timeout_s=timeout_s))
        return client

    def _guarded(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self.guard is not None and request.method not in ("GET", "HEAD"):
            self.guard()
        return request

    def api_version(self) -> str:
        """Give the version of the Engine's API, asked once, by /_ping: for /version the Engine starts processes."""
        with self._lock:
            if not self._api_version:
                self._api_version = self._ping()
            return self._api_version

    def _ping(self) -> str:
        try:
            with session(self._transport.engine, timeout_s=PING_TIMEOUT_S) as plain:
                answer = plain.get("http://node/_ping")
                answer.raise_for_status()
                found = str(answer.headers["Api-Version"])
        except (requests.RequestException, KeyError) as error:
            raise TimedOut(
                f"{self.name}: its Docker Engine took the connection and gave no answer: {error}",
                node=self.name,
                hint="look at dockerd on the node",
            ) from error
        return found

    def dial(self, address: str, *, timeout_s: float = 10.0) -> socket.socket:
        """Connect to an address as seen from the node; through rkx-node where the transport cannot.

        Raises StreamRefused when nothing listens there.
        """
        if isinstance(self._transport, Dials) and self._dials is not False:
            try:
                stream = self._transport.dial(address, timeout_s=timeout_s)
            except DialForbidden:
                self._dials = False
            else:
                self._dials = True if self._dials is None else self._dials
                return stream
        if self._relays is None:
            raise StreamRefused(f"{self.name}: {address} cannot be reached", node=self.name)
        return self._relays.open(self, address)

    def is_narrow(self, address: str) -> bool:
        """Tell if streams to an address go through rkx-node: each takes one of the few that such a node has."""
        if self._dials is None and isinstance(self._transport, Dials):
            try:
                self._transport.dial(address, timeout_s=10.0).close()
                self._dials = True
            except DialForbidden:
                self._dials = False
        return not self._dials

    @property
    def is_blind(self) -> bool:
        """Tell if the node forbids forwarding and no relay may be started: its silence then says nothing."""
        return self._dials is False and self._relays is None

    def dial_tls(
        self, address: str, context: ssl.SSLContext, server_name: str, *, timeout_s: float = 10.0
    ) -> ssl.SSLSocket:
        """Connect as ``dial`` does and speak TLS; the server must be who ``server_name`` says."""
        plain = self.dial(address, timeout_s=timeout_s)
        try:
            plain.settimeout(timeout_s)
            return context.wrap_socket(plain, server_hostname=server_name)
        except BaseException:
            plain.close()
            raise

    def close(self) -> None:
        """Close the connection to the node, and what was opened there for streams."""
        try:
            if self._relays is not None:
                self._relays.end(self)
        finally:
            self._transport.close()
