"""``validate`` runs nothing, connects to nothing and opens no file that holds a secret, whatever the file says."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.core.cli.conftest import rkx

from rkx import Unread, api
from rkx.config import load_text
from rkx.errors import ConfigError

FILE = """
nodes:
- {address: 192.0.2.1, user: u, role: [controlplane, etcd], ssh_key: {command: [sh, -c, 'touch ran']}}
- {address: 192.0.2.2, user: u, role: [worker], ssh_key_path: KEY}
- {address: 192.0.2.3, user: u, role: [worker], ssh_key: {file: KEY}}
network: {plugin: flannel}
ingress: {provider: none}
private_registries:
- {url: registry.example, user: u, password: {env: RKX_NO_SUCH_VARIABLE}}
addons_include:
- https://192.0.2.9/a.yml
- {source: 'http://192.0.2.9/b.yml', sha256: DIGEST}
"""
RUNS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.spawn")
CONNECTS = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "urllib.Request")
_SEEN: list[str] | None = None


def _note(event: str, arguments: tuple[object, ...]) -> None:
    if _SEEN is not None and (event in (*RUNS, *CONNECTS) or (event == "open" and "the-key" in str(arguments[0]))):
        _SEEN.append(f"{event} {arguments[:1]}")


sys.addaudithook(_note)


@pytest.fixture
def seen() -> Iterator[list[str]]:
    """Return what is run, connected to and opened while the test lasts."""
    global _SEEN
    _SEEN = []
    yield _SEEN
    _SEEN = None


@pytest.fixture
def file(tmp_path: Path) -> Path:
    key = tmp_path / "the-key"
    key.write_text("-----BEGIN OPENSSH PRIVATE KEY-----\n")
    key.chmod(0o600)
    made = tmp_path / "cluster.yml"
    made.write_text(FILE.replace("KEY", str(key)).replace("DIGEST", "0" * 64))
    return made


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_validate_runs_nothing_and_reads_no_secret(file: Path, seen: list[str], options: tuple[str, ...]) -> None:
    result = rkx("validate", "--file", str(file), *options)
    assert result.exit_code == 0, result.output
    assert seen == []
    assert not options or json.loads(result.stdout)["valid"]


def test_kubeconfig_needs_no_secret_of_the_file(file: Path, seen: list[str]) -> None:
    assert rkx("kubeconfig", "--file", str(file)).exit_code == 8
    assert seen == []


def test_the_instrument_sees_what_a_plan_does(file: Path, seen: list[str]) -> None:
    with pytest.raises(ConfigError):
        api.load(file, fetch=False)
    assert any(each.startswith("subprocess.Popen") for each in seen)
    assert any(each.startswith("open") for each in seen)


@pytest.mark.parametrize("form", ["{command: sh}", "{command: []}", "{file: [a]}", "{env: {}}", "{vault: x}", "[a]"])
def test_the_form_of_a_secret_is_judged_all_the_same(form: str, file: Path) -> None:
    file.write_text(file.read_text().replace("{env: RKX_NO_SUCH_VARIABLE}", form))
    result = rkx("validate", "--file", str(file))
    assert (result.exit_code, result.stderr.count("hint:")) == (3, 1)
    assert "private_registries[0].password" in result.stderr


def test_a_secret_that_was_not_read_is_given_to_nobody(file: Path) -> None:
    loaded = load_text(file.read_text(), file, secrets=False)
    password = loaded.cluster.registries[0].password
    assert isinstance(password, Unread)
    assert (str(password), loaded.cluster.has_secrets) == ("***", False)
    with pytest.raises(ValueError, match="was not read"):
        password.reveal()


def test_a_key_file_is_looked_at_from_outside(file: Path, seen: list[str]) -> None:
    (file.parent / "the-key").chmod(0o644)
    result = rkx("validate", "--file", str(file))
    assert (result.exit_code, seen) == (3, [])
    assert "may be read by others" in result.stderr
