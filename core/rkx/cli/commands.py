"""The commands of rkx; each imports what it needs when it runs, so that ``--help`` is quick."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from rkx.cli import rke_compat
from rkx.cli.options import as_json_option, changes_nodes, reads_file, visits_nodes
from rkx.cli.say import as_json as as_json_text
from rkx.cli.say import say, say_text
from rkx.errors import RkxError

if TYPE_CHECKING:
    from rkx.api import Project

Mode = Literal["strict", "warn"]


@click.command()
@reads_file
@visits_nodes
@changes_nodes
@rke_compat.flags("up")
def up(file: Path, mode: Mode, **wishes: Any) -> None:  # noqa: ANN401 - the fields of Wishes
    """Bring the cluster to what the file says: create, change or repair it."""
    from rkx import api
    from rkx.cli.follow import Wishes, follow
    from rkx.cli.summary import summary

    said = Wishes(**wishes)
    project = _load(file, mode, quiet=said.as_json, verbose=said.verbose, fetch=True)
    follow(project, api.up, said)
    if not said.as_json:
        _tell_expiry(project)
        say_text(summary(project))


@click.command()
@reads_file
@visits_nodes
@changes_nodes
@rke_compat.flags("remove")
def remove(file: Path, mode: Mode, **wishes: Any) -> None:  # noqa: ANN401 - the fields of Wishes
    """Take the whole cluster down, and leave the machines as they were."""
    from rkx import api
    from rkx.cli.follow import Wishes, follow

    said = Wishes(**wishes)
    project = _load(file, mode, quiet=said.as_json, verbose=said.verbose)
    follow(project, api.remove, said)
    if not said.as_json:
        say(f"{project.cluster.name} is gone")


@click.command()
@reads_file
@visits_nodes
@rke_compat.flags("plan")
def plan(file: Path, mode: Mode, **wishes: Any) -> None:  # noqa: ANN401 - the fields of Wishes
    """Show what ``up`` would do, and change nothing."""
    from rkx import api
    from rkx.cli.ask import Operator
    from rkx.cli.follow import Wishes, options
    from rkx.cli.show_plan import as_text, as_values
    from rkx.cli.signals import Stop

    said = Wishes(**wishes)
    project = _load(file, mode, quiet=said.as_json, verbose=said.verbose, fetch=True)
    with Stop() as stop:
        found = api.plan(project, options(said, Operator(stop)))
    if not said.as_json:
        _tell_expiry(project)
    say_text(as_json_text(as_values(found)) if said.as_json else as_text(found))


@click.command()
@reads_file
@rke_compat.flags("validate")
def validate(file: Path, mode: Mode, as_json: bool) -> None:
    """Check the file and the plugins that it names; connects to nothing, runs nothing, reads no secret."""
    from rkx.cli.show_plain import counted
    from rkx.cli.validity import problems_of

    if not as_json:
        project = _load(file, mode, secrets=False)
        _tell_expiry(project)
        nodes = counted(len(project.cluster.nodes), "node")
        say(f"{file}: valid, {nodes}, Kubernetes {project.cluster.kubernetes_version}")
        return
    code, values = problems_of(file, mode)
    say(as_json_text(values))
    click.get_current_context().exit(code)


@click.command()
@reads_file
@rke_compat.flags("kubeconfig")
def kubeconfig(file: Path, mode: Mode, as_json: bool) -> None:
    """Print the operator's kubeconfig; it holds a private key."""
    from rkx import api

    project = _load(file, mode, quiet=True, secrets=False)
    _tell_expiry(project)
    text = api.kubeconfig(project).decode()
    if as_json:
        import yaml

        say(as_json_text(yaml.safe_load(text)))
    else:
        say_text(text, nl=False)


@click.command()
@as_json_option
def plugins(as_json: bool) -> None:
    """List the installed plugins, without importing any."""
    from rkx.cli.versions import plugins as installed

    rows = installed()
    if as_json:
        say(as_json_text({"v": 1, "plugins": rows}))
        return
    for row in rows:
        say(f"{row['stage']:<10} {row['name']:<16} {row['distribution']} {row['version']}")


@click.command()
@as_json_option
def version(as_json: bool) -> None:
    """Print the version of rkx, and of the hooks that it speaks."""
    from rkx.cli.versions import line, values

    say(as_json_text(values()) if as_json else line())


def _load(
    file: Path, mode: Mode, *, quiet: bool = False, verbose: bool = False, fetch: bool = False, secrets: bool = True
) -> Project:
    from rkx import api
    from rkx.config import show

    if verbose:
        from rkx.cli import log

        log.begin()
    project = api.load(file, mode=mode, fetch=fetch, secrets=secrets)
    if project.warnings and not quiet:
        say_text(show(project.warnings), err=True)
    return project


def _tell_expiry(project: Project) -> None:
    from rkx import api
    from rkx.config import show

    with suppress(RkxError):  # a state that cannot be read is the business of commands that need it
        if found := api.expiring(project):
            say_text(show(found), err=True)


COMMANDS = [up, plan, remove, validate, kubeconfig, plugins, version]
