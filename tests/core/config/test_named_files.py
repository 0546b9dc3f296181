"""What cluster.yml names is read if it is a regular file of some size: a pipe or a device has no end."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.core.config.bad_inputs import added

from rkx.config import load_text, secrets
from rkx.errors import ConfigError
from rkx.files import read_bytes, read_text

REGISTRY = "private_registries: [{url: r.example, user: u, password: {file: %s}}]\n"


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    """A pipe into which nobody writes."""
    os.mkfifo(tmp_path / "pipe")
    return tmp_path / "pipe"


@pytest.mark.parametrize("text", [REGISTRY, "addons_include: [%s]\n"], ids=["secret", "include"])
@pytest.mark.parametrize("name", ["./pipe", "/dev/zero"])
def test_what_is_no_regular_file_is_a_mistake_at_its_place(pipe: Path, name: str, text: str) -> None:
    with pytest.raises(ConfigError) as found:
        load_text(added(text % name), pipe.parent / "cluster.yml")
    [problem] = found.value.problems
    assert problem.line == 7
    assert "it is not a regular file" in problem.message
    assert found.value.exit_code == 3


def test_a_secret_has_a_bound(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_bytes(b"x" * secrets.MOST_BYTES)
    load_text(added(REGISTRY % "password"), tmp_path / "cluster.yml")
    with file.open("ab") as more:
        more.truncate(1 << 40)  # takes no room on the disk, and none in memory
    with pytest.raises(ConfigError) as found:
        load_text(added(REGISTRY % "password"), tmp_path / "cluster.yml")
    [problem] = found.value.problems
    assert (problem.line, problem.message) == (7, f"cannot read {file}: it is larger than 1048576 bytes")


def test_a_regular_file_is_read_through_a_link_up_to_its_bound(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"one\r\ntwo")
    (tmp_path / "b").symlink_to("a")
    assert read_bytes(tmp_path / "b", 8) == b"one\r\ntwo"
    assert read_text(tmp_path / "b", 8) == "one\ntwo"
    with pytest.raises(OSError, match="larger than 7 bytes"):
        read_bytes(tmp_path / "b", 7)


@pytest.mark.parametrize("text", [REGISTRY, "addons_include: [%s]\n"], ids=["secret", "include"])
@pytest.mark.parametrize("name", ["~no-such-user/a", "a" * 5000])
def test_a_name_that_no_file_can_have_is_a_mistake_at_its_place(name: str, text: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as found:
        load_text(added(text % name), tmp_path / "cluster.yml")
    [problem] = found.value.problems
    assert (problem.line, problem.message.startswith("cannot read ")) == (7, True)


@pytest.mark.parametrize(("escape", "code"), [("\\0", "U+0000"), ("\\x00", "U+0000")])
def test_a_letter_that_no_name_can_hold_is_a_mistake_at_its_place(escape: str, code: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as found:
        load_text(added(f'ssh_key_path: "a{escape}b"\n'), tmp_path / "cluster.yml")
    [problem] = found.value.problems
    assert (problem.line, problem.message) == (7, f"the text holds {code}, written as an escape")
