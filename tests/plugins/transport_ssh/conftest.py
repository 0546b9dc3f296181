"""Keys, a server and a node for it; nothing here touches the operator's own SSH files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import paramiko
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from msgspec.structs import replace
from tests.plugins.transport_ssh.echo import Echo
from tests.plugins.transport_ssh.server import Behaviour, Server

import rkx
from rkx_transport_ssh import SshConfig, SshTransport, route
from rkx_transport_ssh.keys import Private
from rkx_transport_ssh.node import SshNode

Open = Callable[..., SshNode]


def pem(key: Private, passphrase: str = "") -> str:
    """Write a private key as ssh-keygen does."""
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase:
        builder = serialization.PrivateFormat.OpenSSH.encryption_builder().kdf_rounds(1)
        encryption = builder.build(passphrase.encode())
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, encryption).decode()


def public_line(key: Private) -> str:
    """Write a public key as it stands in authorized_keys."""
    return key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()


def as_server_key(key: Private, folder: Path) -> paramiko.PKey:
    """Return a key in paramiko's form."""
    file = folder / "server_key"
    file.write_text(pem(key))
    return paramiko.PKey.from_path(file)


@pytest.fixture(scope="session")
def user_keys() -> dict[str, Private]:
    """One key of each kind."""
    return {
        "rsa": rsa.generate_private_key(public_exponent=65537, key_size=2048),
        "ecdsa": ec.generate_private_key(ec.SECP256R1()),
        "ed25519": ed25519.Ed25519PrivateKey.generate(),
    }


@pytest.fixture(scope="session")
def host_keys() -> tuple[Private, Private]:
    """The server's key, and another one."""
    return ed25519.Ed25519PrivateKey.generate(), ed25519.Ed25519PrivateKey.generate()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder without keys, and no agent."""
    folder = tmp_path / "home"
    (folder / ".ssh").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.setattr(route, "GLOBAL_KNOWN_HOSTS", tmp_path / "ssh_known_hosts")
    return folder


@pytest.fixture
def behaviour(user_keys: dict[str, Private]) -> Behaviour:
    """Let ``ubuntu`` in with any of the keys."""
    blobs = [paramiko.pkey.PublicBlob.from_string(public_line(key)).key_blob for key in user_keys.values()]
    return Behaviour(users={"ubuntu": blobs})


@pytest.fixture
def server(host_keys: tuple[Private, Private], behaviour: Behaviour, tmp_path: Path) -> Iterator[Server]:
    """The machine to reach."""
    running = Server(as_server_key(host_keys[0], tmp_path), behaviour)
    yield running
    running.close()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Path]:
    """A unix socket in the place of Docker's."""
    path = tmp_path / "docker.sock"
    echo = Echo(path)
    yield path
    echo.close()


@pytest.fixture
def key_file(tmp_path: Path, user_keys: dict[str, Private]) -> Path:
    """An Ed25519 key without passphrase."""
    file = tmp_path / "id"
    file.write_text(pem(user_keys["ed25519"]))
    file.chmod(0o600)
    return file


@pytest.fixture
def config(tmp_path: Path, server: Server, key_file: Path, host_keys: tuple[Private, Private]) -> SshConfig:
    """Options that work."""
    return SshConfig(
        user="ubuntu",
        port=server.port,
        ssh_key_path=str(key_file),
        docker_socket=str(tmp_path / "docker.sock"),
        host_key=public_line(host_keys[0]),
    )


def node(address: str = "127.0.0.1", **options: object) -> rkx.Node:
    """A node of cluster.yml."""
    return rkx.Node(
        name="one",
        address=address,
        internal_address=address,
        roles=frozenset({"worker"}),
        transport="ssh",
        transport_options=options,
        where="nodes[0]",
    )


@pytest.fixture
def open_node(config: SshConfig) -> Iterator[Open]:
    """Connect with the working options, some of them changed; closed at the end."""
    opened: list[SshNode] = []

    def connect(
        *, prompt: rkx.transport.Prompt | None = None, address: str = "127.0.0.1", **changes: object
    ) -> SshNode:
        options = replace(config, **changes)
        transport = SshTransport(options).rkx_open_transport(node(address), prompt)
        assert isinstance(transport, SshNode)
        opened.append(transport)
        return transport

    yield connect
    for transport in opened:
        transport.close()
