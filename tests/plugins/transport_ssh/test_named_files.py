"""Keys, certificates and known hosts are read from regular files of some size: a pipe or a device has no end."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.plugins.transport_ssh.conftest import node
from tests.plugins.transport_ssh.test_validate import problems

import rkx
from rkx_transport_ssh import hostkeys, keyfiles, keys
from rkx_transport_ssh.route import HostKeyPolicy

WHY = "it is not a regular file"


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    """A pipe into which nobody writes, and which its owner alone may read."""
    os.mkfifo(tmp_path / "pipe", 0o600)
    return tmp_path / "pipe"


def known(path: Path) -> list[hostkeys.KnownKey]:
    return hostkeys.known_keys(HostKeyPolicy(name="h", host="h", mode="strict", files=(path,)))


def test_it_is_found_before_any_machine_is_reached(pipe: Path) -> None:
    first = node(user="u", ssh_key_path=str(pipe))
    second = replace(node(user="u", known_hosts=str(pipe)), where="nodes[1]")
    third = replace(node(user="u", known_hosts="/dev/zero"), where="nodes[2]")
    assert problems(first, second, third) == [
        ("nodes[0].ssh_key_path", f"SSH key {pipe} cannot be read: {WHY}"),
        ("nodes[1].known_hosts", f"{pipe} cannot be read: {WHY}"),
        ("nodes[2].known_hosts", f"/dev/zero cannot be read: {WHY}"),
    ]


def test_a_key_is_not_even_opened_where_it_may_not_be_read(pipe: Path) -> None:
    with pytest.raises(rkx.ConfigError, match="is not a regular file"):
        keyfiles.check_file(pipe)


@pytest.mark.parametrize("device", [True, False])
def test_none_of_them_is_waited_for_or_read_for_ever(pipe: Path, *, device: bool) -> None:
    path = Path("/dev/zero") if device else pipe
    for read in (keyfiles.read_private, keys._read_certificate, known):
        with pytest.raises(rkx.ConfigError, match=f"{path} cannot be read: {WHY}") as found:
            read(path)
        assert found.value.exit_code == 3


def test_each_has_a_bound(tmp_path: Path) -> None:
    file = tmp_path / "file"
    with file.open("wb") as large:
        large.truncate(1 << 40)  # takes no room on the disk, and none in memory
    for read in (keyfiles.read_private, keys._read_certificate, known):
        with pytest.raises(rkx.ConfigError, match=r"cannot be read: it is larger than \d+ bytes"):
            read(file)


def test_nobody_is_known_in_the_empty_device() -> None:
    """As ``UserKnownHostsFile /dev/null`` in ~/.ssh/config has it."""
    hostkeys.check_file(Path("/dev/null"))
    assert known(Path("/dev/null")) == []
