"""Where rkx-node was not built, rkx works until a node is touched, and then says what to run."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner, Result
from tests.core.reconcile.small import Site

from rkx import api
from rkx.cli.main import cli
from rkx.errors import PartlyDone
from rkx.reconcile.node_image import image_tag, program
from rkx.testing import FakeTransport

READ = program.__wrapped__
"""Without its memory of what other tests saw."""


@pytest.fixture
def bare(site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Site:
    """Return a world to an installation that has no rkx-node."""
    image_tag.cache_clear()
    monkeypatch.setattr("rkx.reconcile.node_image.program", READ)
    monkeypatch.setattr(
        "rkx.reconcile.node_image.resources", SimpleNamespace(files=lambda _package: tmp_path / "installed")
    )
    parts = (FakeTransport(site.world), site.service, site.network)
    monkeypatch.setattr(api, "load", partial(api.load, plugins=parts))
    return site


def rkx(site: Site, command: str) -> Result:
    takes_file = command not in ("version", "plugins")
    return CliRunner().invoke(cli, [command, *(("--file", str(site.file)) if takes_file else ())], prog_name="rkx")


@pytest.mark.parametrize("command", ["validate", "version", "plugins"])
def test_what_touches_no_node_works(bare: Site, command: str) -> None:
    result = rkx(bare, command)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout
    assert bare.world.requests == []


@pytest.mark.parametrize("command", ["plan", "up"])
def test_what_touches_a_node_says_what_is_missing_and_the_command_that_builds_it(bare: Site, command: str) -> None:
    result = rkx(bare, command)
    assert result.exit_code == 6
    assert result.stderr == (
        "error: rkx-node for amd64 was not built into this rkx\nhint: run: make node, then install rkx again\n"
    )
    assert (bare.world.effects, bare.world.changes()) == ([], [])


@pytest.mark.whole
def test_a_machine_of_another_kind_is_left_aside(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def built(architecture: str) -> bytes:
        return b"rkx-node" if architecture == "x86_64" else READ(architecture)

    monkeypatch.setattr("rkx.reconcile.node_image.program", built)
    site.world.engines["two"].says["Architecture"] = "mips"
    assert site.up().exit_code == 6
    error = site.up("two").error
    assert isinstance(error, PartlyDone)
    assert "rkx-node for mips was not built" in error.message
    assert site.world.engines["one"].running("agent")


def test_the_image_has_a_name_that_no_pod_can_pull() -> None:
    """RFC 2606: the top-level domain ``invalid`` is never delegated."""
    assert image_tag("x86_64").split("/")[0].endswith(".invalid")
