"""Keys of every kind, and every way in which a key is of no use."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import PrivateFormat
from tests.plugins.transport_ssh.conftest import Open, pem, public_line

import rkx
from rkx_transport_ssh.keys import Private, is_encrypted

KINDS = ["rsa", "ecdsa", "ed25519"]


def write(path: Path, text: str, mode: int = 0o600) -> str:
    path.write_text(text)
    path.chmod(mode)
    return str(path)


def opens(open_node: Open, **options: object) -> None:
    open_node(**options).close()


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_file_signs_in(open_node: Open, user_keys: dict[str, Private], tmp_path: Path, kind: str) -> None:
    opens(open_node, ssh_key_path=write(tmp_path / "key", pem(user_keys[kind])))


@pytest.mark.parametrize("kind", KINDS)
def test_a_passphrase_is_asked_for(open_node: Open, user_keys: dict[str, Private], tmp_path: Path, kind: str) -> None:
    asked: list[str] = []

    def prompt(what: str) -> str:
        asked.append(what)
        return "open sesame"

    path = write(tmp_path / "key", pem(user_keys[kind], "open sesame"))
    opens(open_node, ssh_key_path=path, prompt=prompt)
    assert asked == [f"Passphrase of the SSH key {path}"]


@pytest.mark.parametrize("form", [PrivateFormat.TraditionalOpenSSL, PrivateFormat.PKCS8])
@pytest.mark.parametrize("passphrase", ["", "open sesame"])
def test_older_forms_are_read(
    open_node: Open, user_keys: dict[str, Private], tmp_path: Path, form: PrivateFormat, passphrase: str
) -> None:
    encryption = (
        serialization.BestAvailableEncryption(passphrase.encode()) if passphrase else serialization.NoEncryption()
    )
    text = user_keys["rsa"].private_bytes(serialization.Encoding.PEM, form, encryption)
    assert is_encrypted(text.decode()) is bool(passphrase)
    opens(open_node, ssh_key_path=write(tmp_path / "key", text.decode()), prompt=lambda _: passphrase)


def test_an_inline_key_signs_in(open_node: Open, user_keys: dict[str, Private]) -> None:
    opens(open_node, ssh_key=rkx.Secret(pem(user_keys["ecdsa"])), ssh_key_path="/not/read")


def test_usual_files_are_tried_in_order(open_node: Open, user_keys: dict[str, Private], home: Path) -> None:
    write(home / ".ssh" / "id_ed25519", pem(user_keys["ed25519"]))
    opens(open_node, ssh_key_path="")
    write(home / ".ssh" / "id_rsa", "no key")
    with pytest.raises(rkx.ConfigError, match="id_rsa is not a private key"):
        open_node(ssh_key_path="")


def test_no_key_at_all_is_told_with_the_places_looked_at(open_node: Open, home: Path) -> None:
    with pytest.raises(rkx.ConfigError, match=r"no SSH key found: .*id_rsa, .*id_ed25519, .*id_ecdsa"):
        open_node(ssh_key_path="")


def test_without_terminal_a_passphrase_cannot_be_asked_for(
    open_node: Open, user_keys: dict[str, Private], tmp_path: Path
) -> None:
    path = write(tmp_path / "key", pem(user_keys["rsa"], "open sesame"))
    with pytest.raises(rkx.errors.AuthRejected, match="no terminal to ask") as caught:
        open_node(ssh_key_path=path)
    assert "ssh-agent" in caught.value.hint


@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_passphrase_names_the_key(
    open_node: Open, user_keys: dict[str, Private], tmp_path: Path, kind: str
) -> None:
    path = write(tmp_path / "key", pem(user_keys[kind], "open sesame"))
    with pytest.raises(rkx.ConfigError, match=f"passphrase does not open the SSH key {path}") as caught:
        open_node(ssh_key_path=path, prompt=lambda _: "close sesame")
    assert "sesame" not in str(caught.value)
    assert "ssh-agent" in caught.value.hint


def test_a_missing_file_is_named(open_node: Open) -> None:
    with pytest.raises(rkx.ConfigError, match="/no/such/key does not exist") as caught:
        open_node(ssh_key_path="/no/such/key")
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_file_that_others_may_read_is_refused(open_node: Open, key_file: Path, mode: int) -> None:
    key_file.chmod(mode)
    with pytest.raises(rkx.ConfigError, match=f"its mode is {mode:04o}") as caught:
        open_node()
    assert caught.value.hint == f"chmod 600 {key_file}"


def test_a_public_key_is_called_so(open_node: Open, key_file: Path, user_keys: dict[str, Private]) -> None:
    public = write(Path(f"{key_file}.pub"), public_line(user_keys["ed25519"]), 0o644)
    with pytest.raises(rkx.ConfigError, match="is a public key") as caught:
        open_node(ssh_key_path=public)
    assert f"{key_file} is there" in caught.value.hint


def test_garbage_is_no_key_and_is_not_echoed(open_node: Open, tmp_path: Path) -> None:
    path = write(tmp_path / "key", "-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0\n-----END OPENSSH PRIVATE KEY-----\n")
    with pytest.raises(rkx.ConfigError, match="is not a private key that can be read") as caught:
        open_node(ssh_key_path=path)
    assert "c2VjcmV0" not in str(caught.value)


def test_a_bare_public_key_is_no_certificate(open_node: Open, user_keys: dict[str, Private]) -> None:
    with pytest.raises(rkx.ConfigError, match="ssh_cert is not an OpenSSH certificate"):
        open_node(ssh_cert=public_line(user_keys["ed25519"]))


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An ssh-agent without keys."""
    path = str(tmp_path / "agent")
    running = subprocess.Popen(["ssh-agent", "-D", "-a", path], stdout=subprocess.PIPE)
    assert running.stdout
    running.stdout.readline()  # it prints how to reach it once it listens
    monkeypatch.setenv("SSH_AUTH_SOCK", path)
    yield path
    running.terminate()
    running.communicate()


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_of_the_agent_signs_in(
    open_node: Open, agent: str, user_keys: dict[str, Private], tmp_path: Path, kind: str
) -> None:
    key = write(tmp_path / "key", pem(user_keys[kind]))
    subprocess.run(["ssh-add", "-q", key], check=True, capture_output=True)
    os.unlink(key)
    opens(open_node, ssh_agent_auth=True, ssh_key_path="")


def test_an_empty_agent_is_told_so(open_node: Open, agent: str) -> None:
    with pytest.raises(rkx.errors.AuthRejected, match="holds no key, or is gone"):
        open_node(ssh_agent_auth=True, ssh_key_path="")


def test_no_agent_is_told_so(open_node: Open) -> None:
    with pytest.raises(rkx.errors.AuthRejected, match="no ssh-agent runs"):
        open_node(ssh_agent_auth=True, ssh_key_path="")
