"""One node as rkx reaches it: Docker clients and HTTP sessions over the transport's streams."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from typing import Protocol

from rkx.errors import BadAnswer, ConnectFailed, RkxError, StreamRefused, TimedOut
from rkx.lines import cut
from rkx.reconcile.bounds import ENGINE, PING, Limit, TooLate
from rkx.reconcile.engine import Engine, EngineRefused
from rkx.reconcile.sessions import HttpError, Session, session
from rkx.reconcile.stream_pool import TIMEOUT_S, StreamPool
from rkx.transport import DialForbidden, Dials, Transport

PING_TIMEOUT_S = 8.0
VERSION = re.compile(r"[0-9]{1,3}\.[0-9]{1,3}\Z")
_AGAIN = "run rkx again; what was done is recognised"


class Relay(Protocol):
    """Another way to addresses of a node whose transport cannot dial."""

    def open(self, link: Link, address: str) -> socket.socket:
        """Open a stream to an address; StreamRefused when nothing listens there."""

    def end(self, link: Link) -> None:
        """End what is left of the streams."""


class Link:
    """One node and the open way to it. Every call may come from any thread; each client belongs to one action.

    ``guard`` is called directly before each request that may change something, and raises where that must not be.
    """

    def __init__(self, name: str, transport: Transport, relays: Relay | None = None) -> None:
        self.name = name
        self._transport = transport
        self._relays = relays
        self._dials: bool | None = None if isinstance(transport, Dials) else False
        self._api_version = ""
        self._too_late: TooLate | None = None
        self._lock = threading.Lock()
        self.guard: Callable[[], None] | None = None

    @contextlib.contextmanager
    def docker(self, *, timeout_s: float = TIMEOUT_S, limit: Limit = ENGINE) -> Iterator[Engine]:
        """Lend the Engine over streams of its own; EngineRefused for what it refuses, TransportError otherwise.

        All that is asked through it has ``limit`` together: how much there is to ask, an Engine says itself.
        """
        with (
            self._translated(self._refused, limit),
            contextlib.closing(self.client(timeout_s=timeout_s, limit=limit, together=True)) as engine,
        ):
            yield engine

    @contextlib.contextmanager
    def http(self, *, timeout_s: float = TIMEOUT_S, limit: Limit | None = None) -> Iterator[Session]:
        """Lend a plain HTTP session with the Engine, to look at things; what it does not show is a TransportError.

        All that is asked through it has the limit of one answer together, or ``limit``: an Engine can show many things.
        """
        opened = session(self._transport.engine, self.name, timeout_s=timeout_s, limit=limit or ENGINE, together=True)
        with self._translated(self._unshown, limit or ENGINE), opened as plain:
            yield plain

    @contextlib.contextmanager
    def _translated(self, refused: Callable[[str], RkxError], limit: Limit) -> Iterator[None]:
        """Name the node in errors; docker-py reads answers by itself, and what it stumbles over is bad, too.

        An Engine that let a plain answer's time run out is asked nothing more: it says how many things there are to
        ask. Pulls and batches are as many as rkx wants.
        """
        if self._too_late is not None:
            raise BadAnswer(f"not asked again: {self._too_late.message}", node=self.name, hint=self._too_late.hint)
        try:
            yield
        except TooLate as error:
            self._too_late = error if limit == ENGINE else None
            raise
        except HttpError as error:
            raise refused(str(error)) from error
        except (ValueError, RecursionError, MemoryError) as error:  # docker-py's ValueError may be an OSError, too
            raise self._bad(error) from error
        except OSError as error:
            why = f"{self.name}: the stream broke: {cut(str(error))}"
            raise ConnectFailed(why, node=self.name, hint=_AGAIN) from error

    def _bad(self, why: Exception) -> BadAnswer:
        what = f"{type(why).__name__}: {str(why)[:200]}"
        return BadAnswer(f"{self.name}: its Docker Engine's answer cannot be read: {what}", node=self.name)

    def _unshown(self, why: str) -> BadAnswer:
        """What was only looked at is not partly done, and a node that shows nothing may be left aside."""
        return BadAnswer(
            f"{self.name}: the Engine says: {cut(why)}",
            node=self.name,
            hint="repair it, then run rkx again; --allow-unreachable NODE leaves a node aside",
        )

    def _refused(self, why: str) -> EngineRefused:
        return EngineRefused.of(self.name, cut(why))

    def client(self, *, timeout_s: float, limit: Limit, together: bool = False) -> Engine:
        """Return the Engine; the caller closes it."""
        opened, version = self._transport.engine, self.api_version()
        pool = StreamPool(opened, self.name, timeout_s=timeout_s, limit=limit, together=together)
        return Engine.over(pool, version, self._guarded)

    def _guarded(self, method: str) -> None:
        if self.guard is not None and method not in ("GET", "HEAD"):
            self.guard()

    def api_version(self) -> str:
        """Return the version of the Engine's API, asked once, by /_ping: for /version the Engine starts processes."""
        with self._lock:
            if not self._api_version:
                self._api_version = self._ping()
            return self._api_version

    def _ping(self) -> str:
        try:
            with session(self._transport.engine, self.name, timeout_s=PING_TIMEOUT_S, limit=PING) as plain:
                found = plain.get("/_ping").checked().headers["Api-Version"]
        except HttpError as error:
            raise self._unshown(str(error)) from error
        except (OSError, KeyError) as error:
            raise TimedOut(
                f"{self.name}: its Docker Engine took the connection and gave no answer: {cut(str(error))}",
                node=self.name,
                hint="look at dockerd on the node",
            ) from error
        if not VERSION.match(found):
            raise BadAnswer(
                f"{self.name}: its Docker Engine names no version of its API: {found[:20]!r}", node=self.name
            )
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
        """Return whether streams to an address go through rkx-node: each takes one of the few that such a node has."""
        if self._dials is None and isinstance(self._transport, Dials):
            try:
                self._transport.dial(address, timeout_s=10.0).close()
                self._dials = True
            except DialForbidden:
                self._dials = False
        return not self._dials

    @property
    def is_blind(self) -> bool:
        """Return whether the node forbids forwarding and no relay may be started: its silence then says nothing."""
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
