"""Show a run as a live screen."""

from __future__ import annotations

import click

from rkx.cli.show_plain import Plain


class Screen(Plain):
    """Lines, until the screen is there."""

    def __init__(self) -> None:
        super().__init__(click.echo)
