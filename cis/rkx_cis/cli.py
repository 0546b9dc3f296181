"""Bring up the lab, run rkx with each profile, and print a table for each."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import click

from rkx_cis import gather, site, table
from rkx_cis.checks import PROFILES, Profile
from rkx_cis.evidence import Object
from rkx_lab import machines
from rkx_lab.state import Lab


@click.command()
@click.option("--lab", "name", default="cis", show_default=True, help="Name of the lab, which is removed at the end.")
@click.option("--kubectl", type=click.Path(exists=True, path_type=Path), required=True, help="The program kubectl.")
def main(name: str, kubectl: Path) -> None:
    """Judge a cluster by the CIS Kubernetes benchmark 1.12; exit 1 if a scored check fails without a reason."""
    lab = machines.up(name, 2, say=click.echo)
    try:
        failed = [f"{profile}: {each}" for profile in PROFILES for each in _judge(lab, profile, kubectl)]
    finally:
        machines.down(name)
    if failed:
        click.echo(f"scored checks that fail, and no reason is written down: {', '.join(failed)}", err=True)
        sys.exit(1)


def _judge(lab: Lab, profile: Profile, kubectl: Path) -> list[str]:
    machines.clean(lab)
    with tempfile.TemporaryDirectory() as folder, site.kernel(lab) if profile == "cis" else nullcontext():
        file = Path(folder) / "cluster.yml"
        site.write(lab, file, profile)
        site.up(file)
        rows = table.judge(gather.evidence(lab, file, partial(_listed, kubectl, file)))
    for line in table.shown(rows, profile):
        click.echo(line)
    return table.unexplained(rows, profile)


def _listed(kubectl: Path, file: Path, kind: str) -> list[Object]:
    config = file.with_name(gather.KUBECONFIG)
    command = [str(kubectl), "--kubeconfig", str(config), "get", kind, "--all-namespaces", "--output", "json"]
    done = subprocess.run(command, capture_output=True, check=True, timeout=60)
    found: list[Object] = json.loads(done.stdout)["items"]
    return found
