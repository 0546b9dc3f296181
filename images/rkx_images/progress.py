"""Show a build line by line, with the seconds each step took."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Progress:
    """Print lines of the form `kubernetes      build program...   123.4 s`, from any thread."""

    def __init__(self, name: str) -> None:
        self.name = name

    def say(self, text: str) -> None:
        """Print one line without a time."""
        print(f"{self.name:<15} {text}", flush=True)

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Print a line when a step begins and one with its seconds when it is done."""
        self.say(f"{text}...")
        start = time.monotonic()
        yield
        self.say(f"{text:<50} {time.monotonic() - start:7.1f} s")
