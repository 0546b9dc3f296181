"""The entry of the command line: a group that shows errors and turns them into exit codes."""

from __future__ import annotations

import gc
from typing import Any

import click

from rkx.cli import faults, rke_compat
from rkx.cli.commands import COMMANDS
from rkx.cli.say import say
from rkx.errors import RkxError

YOUNG = 50_000
"""A run ends in seconds, and its imports stay: garbage collection of these again and again frees nothing."""


class Commands(click.Group):
    """The commands, and a word for those of RKE that are not supported yet."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Find a command; one of RKE's that rkx lacks answers that it is not supported yet."""
        return super().get_command(ctx, cmd_name) or rke_compat.command(cmd_name)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - click's own signature
        """Run a command; a deliberate error is shown with its hint, a bug is written to a file."""
        try:
            return super().invoke(ctx)
        except RkxError as error:
            faults.show(error)
            ctx.exit(error.exit_code)
        except (click.exceptions.Exit, click.ClickException, click.Abort, BrokenPipeError):
            raise
        except Exception as error:  # noqa: BLE001 - the top of the program: a bug gets its file and exit code
            faults.show_bug(error)
            ctx.exit(RkxError.exit_code)


def _version(ctx: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if wanted:
        from rkx.cli.versions import line

        say(line())
        ctx.exit()


@click.group(cls=Commands, commands=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "-v", "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Print the version."
)
@rke_compat.flags("")
def cli() -> None:
    """Kubernetes clusters of containers, on machines that run Docker, from one cluster.yml."""


def main() -> None:
    """Run the command line; the console script calls this."""
    gc.set_threshold(YOUNG)
    cli(prog_name="rkx")
