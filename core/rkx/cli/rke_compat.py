"""What RKE's command line has and rkx lacks: recognised, and answered with what to do instead."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from rkx.cli.say import say

F = TypeVar("F", bound=Callable[..., Any])

COMMANDS: Mapping[str, str] = {
    "cluster": "leave the word out: rkx up",
    "config": "write cluster.yml by hand: cluster.example.yml shows one; rkx validate checks it",
    "etcd": "take snapshots with etcdctl in the etcd container for now",
    "cert": "rkx up renews expiring certificates; CA rotation is not supported yet",
    "encrypt": "the key that encrypts secrets at rest stays as it is",
    "util": "rkx kubeconfig prints the kubeconfig; rkx up finds a lost state again on the nodes",
}
"""RKE's commands, with a hint each."""

FLAGS: Mapping[str, Mapping[str, str]] = {
    "": {
        "--debug": "use --verbose after the command",
        "--trace": "use --verbose after the command; keys are never printed",
        "--quiet": "send the output to /dev/null; errors go to standard error",
    },
    "up": {
        "--update-only": "leave it out: a plan holds only what differs",
        "--local": "name this machine in cluster.yml, reached by SSH",
        "--dind": "the lab of the source tree makes machines of containers: make lab",
        "--dind-storage-driver=": "see make lab in the source tree",
        "--dind-dns-server=": "see make lab in the source tree",
        "--disable-port-check": "leave it out: a taken port would keep a component from starting",
        "--init": "leave it out: rkx plan looks without changing anything",
        "--cert-dir=": "certificates come from the cluster's own authorities",
        "--custom-certs": "certificates come from the cluster's own authorities",
    },
    "remove": {
        "--local": "name this machine in cluster.yml, reached by SSH",
        "--dind": "the lab of the source tree ends its machines: make lab-down",
    },
    "*": {
        "--ssh-agent-auth": "write `ssh_agent_auth: true` into cluster.yml",
        "--ignore-docker-version": "write `ignore_docker_version: true` into cluster.yml",
    },
}
"""RKE's flags by command, "" for those before it, "*" for those of every command; ``=`` ends one with a value."""
SHORT: Mapping[str, str] = {"--debug": "-d", "--quiet": "-q"}
"""RKE's short spellings."""


class NotThereYet(click.ClickException):
    """Something of RKE's that rkx lacks; a usage error."""

    exit_code = 2

    def __init__(self, what: str, hint: str) -> None:
        super().__init__(f"{what} is not supported yet")
        self.hint = hint

    def show(self, file: Any = None) -> None:  # noqa: ANN401 - click's own signature
        """Print message and hint on standard error."""
        say(f"error: {self.message}", err=True)
        say(f"hint: {self.hint}", err=True)


def command(name: str) -> click.Command | None:
    """Return a stand-in for one of RKE's commands, whatever follows it; None for a name that RKE lacks, too."""
    if name not in COMMANDS:
        return None

    def answer() -> None:
        raise NotThereYet(f"rkx {name}", COMMANDS[name])

    lenient = {"ignore_unknown_options": True, "allow_extra_args": True}
    return click.Command(name, callback=answer, context_settings=lenient, hidden=True, add_help_option=False)


def flags(command_name: str) -> Callable[[F], F]:
    """Decorate a command so that it knows RKE's flags, by refusing them with a hint."""
    known = {**FLAGS.get(command_name, {}), **(FLAGS["*"] if command_name else {})}

    def decorate(function: F) -> F:
        for flag, hint in known.items():
            function = _option(flag, hint)(function)
        return function

    return decorate


def _option(flag: str, hint: str) -> Callable[[F], F]:
    name = flag.rstrip("=")

    def refuse(_ctx: click.Context, _option: click.Parameter, value: object) -> None:
        if value:
            raise NotThereYet(name, hint)

    short = [SHORT[name]] if name in SHORT else []
    return click.option(
        name, *short, is_flag=name == flag, default=None, hidden=True, expose_value=False, callback=refuse
    )
