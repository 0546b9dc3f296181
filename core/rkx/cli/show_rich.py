"""Show a run as a live screen: per node what runs now, and what waits for whom."""

from __future__ import annotations

import threading
import time

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from rkx.cli.progress import Progress
from rkx.cli.say import visible
from rkx.cli.show_plain import action, counted, problem, risk
from rkx.events import ActionFailed, Event, PlanReady, ProblemFound
from rkx.lines import hanging

A_SECOND = 8
"""How often the screen is drawn."""


class Screen:
    """Draws on a thread of its own, so that the time moves while nothing happens."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console()
        self._progress = Progress()
        self._lock = threading.Lock()  # for the progress, which the drawing thread reads
        self._switch = threading.Lock()  # for being drawn or not; never taken by the drawing thread
        self._started = time.monotonic()
        self._paused = False
        self._live = self._new()

    def _new(self) -> Live:
        return Live(console=self._console, get_renderable=self.render, refresh_per_second=A_SECOND, transient=True)

    def show(self, event: Event) -> None:
        """Take an event; a failure, a warning or an accepted risk stays on the screen."""
        with self._lock:
            self._progress.take(event)
        with self._switch:
            if not self._paused:
                self._live.start()
        match event:
            case ActionFailed():
                self._console.print(_text(f"{action(event)} failed: {event.message}", "red"))
            case ProblemFound():
                self._console.print(_text(problem(event), "yellow"))
            case PlanReady():
                for each in event.risks:
                    self._console.print(_text(risk(each), "yellow"))

    def render(self) -> Group:
        """Return what is on the screen now."""
        with self._lock:
            rows, so_far = self._progress.rows(), f"{self._progress.done} of {self._progress.total} actions"
        table = Table.grid(padding=(0, 2))
        for row in rows:
            waits = f"waits: {row.waits}" if row.waits else ""
            table.add_row(_text(row.node, "bold"), _text(row.now), _text(waits, "dim"))
        return Group(_text(f"{self._progress.title}  {self._seconds():.0f}s  {so_far}"), table)

    def _seconds(self) -> float:
        return time.monotonic() - self._started

    def pause(self) -> None:
        """Leave the terminal to a question; from any thread."""
        with self._switch:
            self._paused = True
            self._live.stop()

    def resume(self) -> None:
        """Draw again, with the next event."""
        with self._switch:
            self._live, self._paused = self._new(), False

    def close(self) -> None:
        """Stop drawing, and say how much was done."""
        with self._switch:
            self._live.stop()
        self._console.print(_text(f"{counted(self._progress.done, 'action')} in {self._seconds():.1f}s"))


def _text(text: str, style: str = "") -> Text:
    return Text(visible(hanging(text)), style=style)
