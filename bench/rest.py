"""Wait until the computer is at rest: a cluster that has just come up keeps both sides of a pair waiting, unevenly."""

from __future__ import annotations

import time
from pathlib import Path

QUIET = 0.2
AT_MOST_S = 60


def wait_for_rest() -> float:
    """Wait for a second in which at most a fifth of all processors is busy; gives the last second's share."""
    share = 1.0
    for _ in range(AT_MOST_S):
        before = _ticks()
        time.sleep(1)  # the second over which the share is taken: the kernel counts ticks, it tells no event
        after = _ticks()
        share = 1 - (after[1] - before[1]) / (after[0] - before[0])
        if share <= QUIET:
            break
    return share


def _ticks() -> tuple[int, int]:
    """Return ticks of all processors, and those of them that were idle or waited for a disk (proc(5))."""
    ticks = [int(word) for word in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
    return sum(ticks), ticks[3] + ticks[4]
