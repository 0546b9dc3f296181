"""The command line of the lab."""

import sys

import click

from rkx_lab import engine
from rkx_lab.errors import LabError


@click.group()
def lab() -> None:
    """Make throw-away machines on this computer, and end them."""


@lab.command("engine-up")
@click.argument("url", required=False)
def engine_up(url: str | None) -> None:
    """Make sure that a Docker Engine answers, and print its address."""
    if url:
        engine.start(url, say=click.echo)
    click.echo(url or engine.ensure(say=click.echo))


@lab.command("engine-down")
def engine_down() -> None:
    """Stop the Docker Engine that the lab has started; any other is left alone."""
    click.echo("stopped" if engine.stop() else "no engine of ours runs")


def main() -> None:
    """Run the command line; a fault of the lab is one message and exit 1."""
    try:
        lab()
    except LabError as error:
        click.echo(f"rkx-lab: {error}", err=True)
        sys.exit(1)
