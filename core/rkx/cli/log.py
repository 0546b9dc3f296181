"""The log of the connections, for ``--verbose``."""

from __future__ import annotations

import logging

from rkx.cli.say import visible
from rkx.lines import MESSAGE, cut, hanging


class Shown(logging.Formatter):
    """Formats for a terminal: the log contains banners of servers."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as text."""
        return visible(hanging(cut(super().format(record), MESSAGE)))


def begin() -> None:
    """Log to standard error from now on."""
    handler = logging.StreamHandler()
    handler.setFormatter(Shown("%(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
