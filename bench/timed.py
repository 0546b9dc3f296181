"""Run a command to its end, and take its time, processor time and memory."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import click

BIN = Path(sys.executable).parent


class Failed(click.ClickException):
    """A command of the measurement ended otherwise than it should."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """What a command took: seconds from start to exit, of processors too, and the most memory that it held at once."""

    out: str
    started_at: float
    took_s: float
    cpu_s: float
    peak_bytes: int


def run(*command: str | Path, env: Mapping[str, str] | None = None) -> Timed:
    """Run a command; Failed with its last words unless it exits 0."""
    words = [str(word) for word in command]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        started_at, started = time.time(), time.monotonic()
        child = subprocess.Popen(
            words, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL, stdout=out, stderr=err
        )
        # Linux counts this process' size at the fork too: it is smaller than what it measures.
        _, status, usage = os.wait4(child.pid, 0)
        took_s = time.monotonic() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0), err.seek(0)
        text, words_said = out.read().decode(errors="replace"), err.read().decode(errors="replace")
    if child.returncode:
        raise Failed(f"{' '.join(words)[:120]}: exit {child.returncode}: {(words_said or text)[-800:].strip()}")
    return Timed(
        out=text,
        started_at=started_at,
        took_s=took_s,
        cpu_s=usage.ru_utime + usage.ru_stime,
        peak_bytes=usage.ru_maxrss * 1024,
    )
