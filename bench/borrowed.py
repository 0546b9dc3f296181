"""The lab's machines that are measured on: those of a lab that is up, or new ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from rkx_lab import machines
from rkx_lab.state import Lab, load

OWN = "bench"


@contextmanager
def borrowed(name: str | None, count: int) -> Iterator[Lab]:
    """Take the lab of that name, which must have so many machines; without a name one is made, and ended."""
    lab = load(name) if name else machines.up(OWN, count)
    try:
        if len(lab.machines) != count:
            raise click.BadParameter(f"lab {lab.name} has {len(lab.machines)} machines, not {count}")
        yield lab
    finally:
        if not name:
            machines.down(OWN)
