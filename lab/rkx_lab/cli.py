"""The command line of the lab."""

import os
import sys
from collections.abc import Callable

import click
from docker.errors import DockerException

from rkx_lab import cluster_yml, engine, machines, state
from rkx_lab.errors import LabError

Command = Callable[..., None]


def named(command: Command) -> Command:
    """Return a command the option that says which lab."""
    option = click.option("--name", default="lab", show_default=True, envvar="RKX_LAB", help="Name of the lab.")
    return option(command)


@click.group()
def lab() -> None:
    """Make throw-away machines on this computer, break them, and end them."""


@lab.command()
@named
@click.option("--nodes", default=3, show_default=True, help="How many machines.")
@click.option("--preload/--no-preload", default=True, help="Machines hold the cluster's images already.")
def up(name: str, nodes: int, preload: bool) -> None:
    """Bring up machines, or complete a lab that is there."""
    made = machines.up(name, nodes, preload_images=preload, say=click.echo)
    for machine in made.machines:
        click.echo(f"{machine.name} {machine.address}")
    click.echo(f"ssh -i {made.key} -o UserKnownHostsFile={made.known_hosts} root@{made.machines[0].address}")


@lab.command()
@named
@click.option("--all", "every", is_flag=True, help="All labs, whatever their names.")
def down(name: str, every: bool) -> None:
    """Remove a lab's machines, volumes, network, registry and keys."""
    for chosen in sorted(machines.names()) if every else [name]:
        machines.down(chosen)


@lab.command()
@named
def status(name: str) -> None:
    """Show a lab's machines and what state they are in."""
    known = state.load(name)
    found = {container.name: container.status for container in machines.containers_of(known)}
    click.echo(f"engine {known.engine}\nregistry {known.registry}\nkey {known.key}")
    for machine in known.machines:
        click.echo(f"{machine.name} {machine.address} {found.get(machine.name, 'missing')}")


@lab.command()
@named
@click.argument("machine")
def clean(name: str, machine: str) -> None:
    """Make one MACHINE anew, or `all`."""
    machines.clean(state.load(name), () if machine == "all" else (machine,), say=click.echo)


@lab.command("exec")
@named
@click.argument("machine")
@click.argument("command", nargs=-1, required=True)
def execute(name: str, machine: str, command: tuple[str, ...]) -> None:
    """Run a COMMAND in a MACHINE: rkx-lab exec lab-1 -- docker ps."""
    known = state.load(name)
    terminal = ["-t"] if sys.stdin.isatty() and sys.stdout.isatty() else []
    line = ["docker", "--host", known.engine, "exec", "-i", *terminal, known.machine(machine).name, *command]
    os.execvp("docker", line)


@lab.command("cluster-yml")
@named
@click.option("--user", default="root", show_default=True, type=click.Choice(["root", "ubuntu"]))
def print_cluster_yml(name: str, user: str) -> None:
    """Print a cluster.yml for the lab's machines."""
    click.echo(cluster_yml.render(state.load(name), user=user), nl=False)


@lab.command("engine-up")
@click.argument("url", required=False)
def engine_up(url: str | None) -> None:
    """Make sure that a Docker Engine answers, and print its address."""
    if url:
        engine.start(url, say=click.echo)
    click.echo(url or engine.ensure(say=click.echo))


@lab.command("engine-down")
@click.option("--unused", is_flag=True, help="Only when no lab is left.")
def engine_down(unused: bool) -> None:
    """Stop the Docker Engine that the lab has started; any other is left alone."""
    if unused and machines.names():
        return
    click.echo("stopped" if engine.stop() else "no engine of ours runs")


def main() -> None:
    """Run the command line; a fault is one message and exit 1."""
    try:
        lab()
    except (LabError, DockerException) as error:
        click.echo(f"rkx-lab: {error}", err=True)
        sys.exit(1)
