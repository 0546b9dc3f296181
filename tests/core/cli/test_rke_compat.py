"""RKE's commands and flags that rkx lacks, and its spellings that keep working."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.core.cli.conftest import FakeApi, rkx

from rkx import api
from rkx.cli.rke_compat import COMMANDS, FLAGS

KNOWN = [(command, flag) for command in ("up", "remove") for flag in {**FLAGS[command], **FLAGS["*"]}]


@pytest.mark.parametrize(("command", "flag"), KNOWN)
def test_flag_when_rkx_lacks_it_then_says_so_with_a_hint_and_exits_2(fake: FakeApi, command: str, flag: str) -> None:
    value = ["a-value"] if flag.endswith("=") else []
    result = rkx(command, flag.rstrip("="), *value)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"error: {flag.rstrip('=')} is not supported yet\nhint: ")
    assert not fake.asked


@pytest.mark.parametrize("command", COMMANDS)
def test_command_when_rkx_lacks_it_then_says_so_whatever_follows(command: str) -> None:
    result = rkx(command, "snapshot-save", "--name", "x")
    assert result.exit_code == 2
    assert result.stderr == f"error: rkx {command} is not supported yet\nhint: {COMMANDS[command]}\n"


def test_command_when_nobody_knows_it_then_exits_2() -> None:
    assert rkx("upp").exit_code == 2


@pytest.mark.parametrize(
    ("flag", "name"), [*((each, each) for each in FLAGS[""]), ("-d", "--debug"), ("-q", "--quiet")]
)
def test_flag_when_it_stands_before_the_command_then_is_known_too(flag: str, name: str) -> None:
    result = rkx(flag, "up")
    assert (result.exit_code, result.stderr.splitlines()[0]) == (2, f"error: {name} is not supported yet")


def test_command_when_it_is_spelled_as_at_rkes_launch_then_is_answered_with_todays() -> None:
    result = rkx("cluster", "up", "--config", "x.yml")
    assert (result.exit_code, result.stderr.splitlines()[1]) == (2, "hint: leave the word out: rkx up")


@pytest.mark.parametrize("spelling", [["--config", "prod.yml"], ["-f", "prod.yml"], ["--file", "prod.yml"]])
def test_file_when_written_as_in_rke_then_is_the_cluster_file(
    fake: FakeApi, monkeypatch: pytest.MonkeyPatch, spelling: list[str]
) -> None:
    seen: list[Path] = []
    load = fake.load

    def note(path: Path, *, mode: str, fetch: bool = False, secrets: bool = True) -> api.Project:
        seen.append(path)
        return load(path, mode=mode, fetch=fetch)

    monkeypatch.setattr(api, "load", note)
    assert rkx("plan", *spelling).exit_code == 0
    assert seen == [Path("prod.yml")]


def test_version_when_asked_as_in_rke_then_is_printed() -> None:
    assert rkx("-v").stdout.startswith("rkx version v")
    assert rkx("version").stdout == rkx("--version").stdout
