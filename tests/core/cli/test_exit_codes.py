"""Exit codes and what stands on standard error."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.core.cli.conftest import FakeApi, rkx

from rkx import api, errors
from rkx.errors import ApplyFailed, ConfigError, Problem, RkxError

CODES = [
    (errors.ConfigError, 3),
    (errors.ConnectFailed, 4),
    (errors.AuthRejected, 4),
    (errors.HostKeyMismatch, 4),
    (errors.Locked, 5),
    (errors.PreflightFailed, 6),
    (errors.StreamRefused, 6),
    (errors.PartlyDone, 7),
    (errors.Interrupted, 7),
    (errors.Refused, 8),
    (errors.NotReady, 9),
]


@pytest.mark.parametrize(("kind", "code"), CODES)
def test_up_when_the_run_fails_then_exits_with_the_errors_code_and_shows_its_hint(
    fake: FakeApi, kind: type[RkxError], code: int
) -> None:
    fake.fails_with(kind("one: it went wrong", hint="repair it"))
    result = rkx("up")
    assert result.exit_code == code
    assert result.stderr == "error: one: it went wrong\nhint: repair it\n"


def test_up_when_all_is_well_then_exits_0_and_names_nodes_and_kubeconfig(fake: FakeApi) -> None:
    result = rkx("up", "--file", "there/prod.yml")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[1:] == [
        "sample is up:",
        "  one  192.0.2.1  controlplane, etcd",
        "  two  192.0.2.2  worker",
        "kubectl --kubeconfig there/kube_config_prod.yml get nodes",
    ]


def test_load_when_the_file_has_mistakes_then_each_is_shown_with_its_line(fake: FakeApi) -> None:
    place = Problem(where="nodes[0].rol", message="", file="c.yml", line=3, column=5, source="    rol: x")
    problem = replace(place, message="unknown key", hint="did you mean role?")
    fake.load_error = ConfigError("1 mistake in c.yml", problems=[problem])
    result = rkx("plan")
    assert result.exit_code == 3
    assert "c.yml:3:5: nodes[0].rol: unknown key" in result.stderr
    assert "hint: did you mean role?" in result.stderr
    assert result.stderr.endswith("error: 1 mistake in c.yml\n")


def test_load_when_it_warns_then_the_warning_is_shown_once_and_the_run_goes_on(fake: FakeApi) -> None:
    fake.warnings = (
        Problem(where="ingress", message="not acted on yet", warning=True, file="c.yml", line=9, column=1),
    )
    result = rkx("up")
    assert result.exit_code == 0
    assert result.output.count("not acted on yet") == 1


@pytest.mark.parametrize("command", ["plan", "up"])
def test_any_command_when_rkx_has_a_bug_then_the_traceback_goes_to_a_file(
    fake: FakeApi, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str
) -> None:
    def broken(*_arguments: object) -> None:
        raise KeyError("a wrong name")

    fake.work = broken
    monkeypatch.setattr(api, "plan", broken)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    result = rkx(command)
    [file] = tmp_path.iterdir()
    assert result.exit_code == 70
    assert str(file) in result.stderr
    assert "Traceback" not in result.output
    assert "KeyError: 'a wrong name'" in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600


def test_up_when_one_action_met_a_bug_then_its_traceback_is_kept_too(
    fake: FakeApi, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    fake.fails_with(ApplyFailed("create x: a bug", failures={"create x": RkxError("a bug in rkx: deep down")}))
    assert rkx("up").exit_code == 7
    assert "deep down" in next(tmp_path.iterdir()).read_text()


def test_validate_when_the_file_is_wrong_then_json_names_the_problems_without_their_source_line(fake: FakeApi) -> None:
    problem = Problem(where="state.key", message="too short", file="c.yml", line=1, column=2, source="key: hunter2")
    fake.load_error = ConfigError("1 mistake", problems=[problem])
    result = rkx("validate", "--json")
    assert result.exit_code == 3
    assert '"valid": false' in result.stdout
    assert '"where": "state.key"' in result.stdout
    assert "hunter2" not in result.output


def test_kubeconfig_when_there_is_no_cluster_then_exits_8(fake: FakeApi, tmp_path: Path) -> None:
    result = rkx("kubeconfig", "--file", str(tmp_path / "cluster.yml"))
    assert result.exit_code == 8
    assert "there is no cluster yet" in result.stderr
