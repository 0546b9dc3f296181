"""Show a run as JSON lines, one for each event."""

from __future__ import annotations

from collections.abc import Callable

from rkx.cli.say import as_json
from rkx.events import Event


class JsonLines:
    """Turn each event into one line of JSON."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say

    def show(self, event: Event) -> None:
        """Print an event."""
        self._say(as_json(event.as_dict()))

    def pause(self) -> None:
        """Make room for a question; lines need nothing."""

    def resume(self) -> None:
        """Go on after a question."""

    def close(self) -> None:
        """End."""
