"""What the reconcile loop needs of the run that it is part of."""

from __future__ import annotations

import threading
from typing import Protocol

from rkx.events import Event


class Reporter(Protocol):
    """What a run gives: a name, a place for events, and a sign to stop."""

    name: str

    def emit(self, event: Event) -> None:
        """Add an event."""

    @property
    def cancelled(self) -> threading.Event:
        """Return the event that says stop."""
