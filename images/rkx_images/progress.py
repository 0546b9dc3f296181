"""Show a build line by line, with the seconds each step took."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_SECONDS_BETWEEN_LINES = 15.0


class Progress:
    """Print lines of the form `kubernetes      build program   123.4 s`, from any thread."""

    def __init__(self, name: str) -> None:
        self.name = name

    def say(self, text: str) -> None:
        """Print one line without a time."""
        print(f"{self.name:<15} {text}", flush=True)

    @contextmanager
    def step(self, text: str) -> Iterator[Callable[[str], None]]:
        """Print a line when a step begins and one with its seconds when it is done.

        Gives a function to be called with each line that the working program prints: now and then it says how
        many there were, so that a long step is seen to move.
        """
        self.say(f"{text}...")
        start = time.monotonic()
        yield self._counter(text)
        self._say_with_seconds(text, start)

    def _counter(self, text: str) -> Callable[[str], None]:
        start = said = time.monotonic()
        lines = 0

        def count(_: str) -> None:
            nonlocal said, lines
            lines += 1
            if time.monotonic() - said >= _SECONDS_BETWEEN_LINES:
                said = time.monotonic()
                self._say_with_seconds(f"{text}, {lines} parts done", start)

        return count

    def _say_with_seconds(self, text: str, start: float) -> None:
        self.say(f"{text:<60} {time.monotonic() - start:7.1f} s")
