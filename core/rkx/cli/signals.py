"""Ctrl-C and SIGTERM: the first lets running actions finish, the second ends at once; both exit 7."""

from __future__ import annotations

import os
import signal
import sys
import termios
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, NoReturn

from rkx.errors import PartlyDone

SIGNALS = (signal.SIGINT, signal.SIGTERM)
SHOW_CURSOR = "\x1b[?25h"


class Stop:
    """What a signal does, from here to the end of the ``with`` block.

    While nothing is changed yet (looking at nodes, a question on the screen) the first signal ends at once, too. A
    thread of its own acts on signals: the main one may be in a call that notices none, such as reading a line.
    """

    def __init__(self) -> None:
        self._cancel: Callable[[], None] | None = None
        self._deciding = threading.Lock()
        self._former: dict[int, Any] = {}
        self._former_wakeup = -1
        self._terminal = _terminal()
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._writing, False)
        self._watcher = threading.Thread(target=self._watch, name="signals", daemon=True)

    def __enter__(self) -> Stop:
        self._watcher.start()
        self._former_wakeup = signal.set_wakeup_fd(self._writing)
        self._former = {number: signal.signal(number, _noted) for number in SIGNALS}
        return self

    def __exit__(self, *_exception: object) -> None:
        for number, former in self._former.items():
            signal.signal(number, former)
        signal.set_wakeup_fd(self._former_wakeup)
        os.close(self._writing)
        self._watcher.join()
        os.close(self._reading)

    def _watch(self) -> None:
        while number := os.read(self._reading, 1):
            if number[0] in SIGNALS:
                self._signalled()

    @contextmanager
    def starting(self) -> Iterator[Callable[[Callable[[], None]], None]]:
        """Hold signals back while a run is started; what is given gets the run's ``cancel``, for the next signal."""

        def cancels(cancel: Callable[[], None]) -> None:
            self._cancel = cancel

        with self._deciding:
            yield cancels

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Let a signal end at once while the operator is asked."""
        with self._deciding:
            cancel, self._cancel = self._cancel, None
        try:
            yield
        finally:
            self._cancel = cancel

    def _signalled(self) -> None:
        with self._deciding:
            cancel, self._cancel = self._cancel, None
        if cancel is None:
            self._leave()
        _write("\nrkx: running actions finish, then it ends; once more ends at once\n")
        cancel()

    def _leave(self) -> NoReturn:
        if self._terminal is not None:
            termios.tcsetattr(sys.stdin.fileno(), termios.TCSANOW, self._terminal)
            _write(SHOW_CURSOR)
        _write("\nrkx: ended at once; run rkx again to finish\n")
        os._exit(PartlyDone.exit_code)  # threads may hang in the network for as long as their time limits


def _noted(_number: int, _frame: FrameType | None) -> None:
    """Do nothing: Python has written the signal's number to the pipe."""


def _terminal() -> list[Any] | None:
    with suppress(OSError, ValueError, termios.error):
        return termios.tcgetattr(sys.stdin.fileno())
    return None


def _write(text: str) -> None:
    with suppress(OSError):
        os.write(2, text.encode())  # sys.stderr may be locked by the thread that is to end
