"""How long a run waits for what it changed to work."""

from __future__ import annotations

import threading
import time

AFTER_FAILURE_S = 30.0
"""Maximum wait after the first failure, so that it is reported promptly."""


class WaitBudget:
    """The waits of one run: each as long as it says, but shorter once something has failed.

    What fails on an ``optional`` node shortens nothing: it holds up no other.
    """

    def __init__(self, cancelled: threading.Event, optional: frozenset[str] = frozenset()) -> None:
        self.cancelled, self._optional = cancelled, optional
        self._failed_at: float | None = None

    def failed(self, node: str) -> None:
        """Note that something has failed on a node, or, where that is empty, in the cluster; the first time counts."""
        if self._failed_at is None and node not in self._optional:
            self._failed_at = time.monotonic()

    def left(self, since: float, timeout_s: float) -> float:
        """Return the seconds that are left of a wait that began at ``since`` (time.monotonic); none below zero."""
        end = since + timeout_s
        if self._failed_at is not None:
            end = min(end, max(since, self._failed_at) + AFTER_FAILURE_S)
        return max(0.0, end - time.monotonic())
