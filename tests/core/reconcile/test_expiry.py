"""Nothing works after certificates have ended, so this is told 90 days before."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner
from tests.core.reconcile.small import Site

from rkx import api
from rkx.cli.main import cli
from rkx.events import ProblemFound

Before = Callable[[int, timedelta], None]


@pytest.fixture
def before_the_end_of(monkeypatch: pytest.MonkeyPatch, running: Site) -> Before:
    """Set the clock of ``api`` to a time before the first end of authorities (0) or of other certificates (1)."""

    def at(which: int, rest: timedelta) -> None:
        end = ends(running)[which]

        before = end - rest

        class Clock(datetime):
            @classmethod
            def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
                return before

        monkeypatch.setattr(api, "datetime", Clock)

    return at


def ends(site: Site) -> list[datetime]:
    return [each.at for each in api.first_ends(site.project)]


def warned(site: Site) -> list[str]:
    return [event.message for event in site.events if isinstance(event, ProblemFound)]


@pytest.mark.whole
def test_long_before_the_end_nobody_is_told(running: Site, before_the_end_of: Before) -> None:
    before_the_end_of(1, timedelta(days=90))
    assert api.expiring(running.project) == []
    running.done()
    assert warned(running) == []


def test_every_command_tells_of_an_authority_that_ends(
    running: Site, before_the_end_of: Before, monkeypatch: pytest.MonkeyPatch
) -> None:
    before_the_end_of(0, timedelta(days=89))
    [authority, certificate] = [problem.message for problem in api.expiring(running.project)]
    assert authority.startswith("the authority ")
    assert " ends on " in authority
    assert certificate.startswith("the certificate ")
    assert "ended on" in certificate
    running.done()
    assert warned(running) == [authority, certificate]
    project = running.project
    monkeypatch.setattr(api, "load", lambda *_args, **_more: project)
    for command in ("up", "plan", "validate", "kubeconfig"):
        result = CliRunner().invoke(cli, [command, "--file", str(running.file)])
        assert f"warning: certificates: {authority}\nhint: " in result.stderr, command


def test_the_last_line_of_up_says_until_when_certificates_are_valid(
    running: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = running.project
    monkeypatch.setattr(api, "load", lambda *_args, **_more: project)
    result = CliRunner().invoke(cli, ["up", "--file", str(running.file)])
    authority, leaf = ends(running)
    now = datetime.now(UTC)
    assert (round((authority - now).days / 365), round((leaf - now).days / 365)) == (10, 3)
    [last] = result.stdout.splitlines()[-1:]
    assert last.startswith("valid: ")
    assert f"-ca until {authority:%Y-%m-%d}, " in last
    assert last.endswith(f" until {leaf:%Y-%m-%d}")


def test_what_nobody_uses_any_more_is_not_told(running: Site, before_the_end_of: Before) -> None:
    running.service.leaves = ("of-two",)
    running.done()
    running.service.leaves = ()
    before_the_end_of(1, timedelta(days=1))
    assert not [problem for problem in api.expiring(running.project) if "of-two" in problem.message]
    assert "of-two" in running.state.credentials


@pytest.mark.whole
def test_a_certificate_of_a_short_life_is_told_in_its_last_third_alone(site: Site) -> None:
    with site.file.open("a") as file:
        file.write("authentication: {options: {x509: {leaf_days: 30}}}\n")
    site.done()
    assert api.expiring(site.project) == []
