"""A run: work on a thread of its own, told by events."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import TracebackType

from rkx.errors import RkxError
from rkx.events import Event, RunFinished, RunStarted
from rkx.reconcile.stream import Events


@dataclass(kw_only=True)
class Run:
    """A run on its own thread; iterate over it for its events, then look at ``error``."""

    name: str = field(default_factory=lambda: secrets.token_hex(4))
    error: RkxError | None = None
    exit_code: int = 0
    _cancelled: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _events: Events = field(init=False)

    def __post_init__(self) -> None:
        self._events = Events(self.name)

    def start(self, work: Callable[[Run], None], command: str, cluster: str) -> Run:
        """Begin; called once, by what makes the run."""
        self._thread = threading.Thread(target=self._work, args=(work, command, cluster), name="run")
        self._thread.start()
        return self

    def _work(self, work: Callable[[Run], None], command: str, cluster: str) -> None:
        started = time.monotonic()
        self.emit(RunStarted(command=command, cluster=cluster))
        try:
            work(self)
        except RkxError as error:
            self.error = error
        except Exception as error:  # noqa: BLE001 - the top of a thread: the caller gets it as ``error``
            self.error = RkxError(f"a bug in rkx: {error!r}", hint="report it, please")
            self.error.__cause__ = error
        self.exit_code = self.error.exit_code if self.error else 0
        message = self.error.message if self.error else "done"
        self.emit(RunFinished(exit_code=self.exit_code, message=message, duration_s=time.monotonic() - started))
        self._events.end()

    def emit(self, event: Event) -> None:
        """Add an event to the stream."""
        self._events.emit(event)

    def __iter__(self) -> Iterator[Event]:
        return iter(self._events)

    def cancel(self) -> None:
        """Start nothing more; running actions finish."""
        self._cancelled.set()

    @property
    def cancelled(self) -> threading.Event:
        """Return the event that ``cancel`` sets."""
        return self._cancelled

    def wait(self) -> None:
        """Wait for the end; raise the ``error`` of the run, an RkxError, if there is one."""
        if self._thread is not None:
            self._thread.join()
        if self.error is not None:
            raise self.error

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.cancel()
        if self._thread is not None:
            self._thread.join()
