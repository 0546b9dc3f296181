"""Against OpenSSH's own server, as Debian ships it: what paramiko's cannot show."""

from __future__ import annotations

import contextlib
import getpass
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from msgspec.structs import replace
from paramiko.common import cMSG_CHANNEL_DATA
from paramiko.message import Message
from tests.plugins.transport_ssh.conftest import node, pem, public_line
from tests.plugins.transport_ssh.echo import Echo
from tests.plugins.transport_ssh.test_streams import FAKE_DOCKER, talk

import rkx
from rkx_transport_ssh import SshConfig, SshTransport, session
from rkx_transport_ssh.keys import Private
from rkx_transport_ssh.node import SshNode

SSHD = Path("/usr/sbin/sshd")
Connect = Callable[..., SshNode]
Started = list["Sshd"]


class Sshd:
    """Runs one sshd for each connection, as inetd would, so that no port is given away and nothing is waited for."""

    def __init__(self, folder: Path, options: str) -> None:
        assert SSHD.exists(), "openssh-server is not installed: make check installs it"
        self._config = folder / "sshd_config"
        self._config.write_text(options)
        self._log = folder / "sshd.log"
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._running: list[subprocess.Popen[bytes]] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.send(signal.SIGCONT)
        for process in self._running:
            process.terminate()
            process.wait()

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the servers of all connections, and to those that they started."""
        for process in self._running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)

    def _serve(self) -> None:
        with contextlib.suppress(OSError), self._log.open("wb") as log:
            while True:
                sock, _ = self._listener.accept()
                with sock:
                    command = [str(SSHD), "-i", "-e", "-f", str(self._config)]
                    stream = sock.fileno()
                    self._running.append(
                        subprocess.Popen(command, stdin=stream, stdout=stream, stderr=log, process_group=0)
                    )


@pytest.fixture(scope="module")
def authority() -> ed25519.Ed25519PrivateKey:
    return ed25519.Ed25519PrivateKey.generate()


@pytest.fixture
def place(
    tmp_path: Path,
    user_keys: dict[str, Private],
    host_keys: tuple[Private, Private],
    authority: ed25519.Ed25519PrivateKey,
) -> Path:
    """A folder with what sshd and its client need: keys, an authority, a socket, a Docker client."""
    for name, key in {**user_keys, "host": host_keys[0], "authority": authority}.items():
        (tmp_path / name).write_text(pem(key))
        (tmp_path / name).chmod(0o600)
        (tmp_path / f"{name}.pub").write_text(public_line(key) + "\n")
    (tmp_path / "authorized_keys").write_text("".join(public_line(key) + "\n" for key in user_keys.values()))
    docker = tmp_path / "bin" / "docker"
    docker.parent.mkdir()
    docker.write_text(FAKE_DOCKER.format(python=os.path.realpath("/proc/self/exe")))
    docker.chmod(0o755)
    return tmp_path


@pytest.fixture
def started() -> Started:
    """The servers that a test started."""
    return []


@pytest.fixture
def connect(place: Path, host_keys: tuple[Private, Private], engine: Path, started: Started) -> Iterator[Connect]:
    """Start sshd with some options more, and sign in; all is ended with the test."""
    with contextlib.ExitStack() as stack:

        def run(*lines: str, **changes: object) -> SshNode:
            if os.getuid() == 0:
                Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
            options = [
                f"HostKey {place / 'host'}",
                f"AuthorizedKeysFile {place / 'authorized_keys'}",
                "StrictModes no",
                "UsePAM no",
                "PermitRootLogin prohibit-password",
                f"SetEnv PATH={place / 'bin'}:/usr/bin:/bin",
            ]
            sshd = Sshd(place, "\n".join([*lines, *options]) + "\n")
            stack.callback(sshd.close)
            started.append(sshd)
            config = SshConfig(
                user=getpass.getuser(),
                port=sshd.port,
                ssh_key_path=str(place / "ed25519"),
                docker_socket=str(engine),
                host_key=public_line(host_keys[0]),
            )
            config = replace(config, **changes)
            opened = SshTransport(config).rkx_open_transport(node(), None)
            assert isinstance(opened, SshNode)
            stack.callback(opened.close)
            return opened

        yield run


def sign(place: Path, key: str, *options: str) -> None:
    command = ["ssh-keygen", "-q", "-s", str(place / "authority"), "-I", "test", *options, str(place / f"{key}.pub")]
    subprocess.run(command, check=True)


@pytest.mark.parametrize("what", ["eof", "data"])
def test_what_comes_late_for_a_closed_stream_ends_no_other(connect: Connect, engine: Path, what: str) -> None:
    """Threads that close and send at once: paramiko makes a message under a lock, and sends it after the lock."""
    opened = connect()
    channel = opened._session.open_unix(str(engine), timeout_s=5)
    late = Message()
    if what == "eof":
        late = channel._send_eof()  # type: ignore[attr-defined]  # not in paramiko's stubs
    else:
        late.add_byte(cMSG_CHANNEL_DATA)
        late.add_int(channel.remote_chanid)
        late.add_string(b"late")
    channel.close()
    assert talk(opened.engine(), b"one") == b"oneEND"  # by now sshd has closed the other
    channel.transport._send_user_message(late)  # type: ignore[union-attr]  # as above
    assert talk(opened.engine(), b"two") == b"twoEND"


@pytest.mark.parametrize("kind", ["rsa", "ecdsa", "ed25519"])
def test_streams_to_a_socket_with_each_kind_of_key(connect: Connect, place: Path, kind: str) -> None:
    opened = connect(ssh_key_path=str(place / kind))
    block = os.urandom(1 << 20)
    assert talk(opened.engine(), block) == block + b"END"


@pytest.mark.whole
def test_two_hundred_streams_are_no_sessions(connect: Connect) -> None:
    opened = connect("MaxSessions 1")
    streams = [opened.engine() for _ in range(200)]
    assert [talk(stream, b"x") for stream in streams] == [b"xEND"] * 200


@pytest.mark.parametrize("kind", ["rsa", "ecdsa", "ed25519"])
def test_a_users_certificate_signs_in(connect: Connect, place: Path, kind: str) -> None:
    sign(place, kind, "-n", getpass.getuser())
    (place / "authorized_keys").write_text("")
    trusted = f"TrustedUserCAKeys {place / 'authority.pub'}"
    assert talk(connect(trusted, ssh_key_path=str(place / kind)).engine(), b"x") == b"xEND"
    with pytest.raises(rkx.errors.AuthRejected):
        connect(ssh_key_path=str(place / kind))


def test_a_hosts_certificate_is_enough(connect: Connect, place: Path, home: Path) -> None:
    sign(place, "host", "-h", "-n", "127.0.0.1")
    certified = f"HostCertificate {place / 'host-cert.pub'}"
    known = home / ".ssh" / "known_hosts"
    known.write_text(f"@cert-authority [127.0.0.1]:* {(place / 'authority.pub').read_text()}")
    assert talk(connect(certified, host_key="").engine(), b"x") == b"xEND"
    sign(place, "host", "-h", "-n", "elsewhere")
    with pytest.raises(rkx.errors.HostKeyMismatch, match="it is for elsewhere"):
        connect(certified, host_key="")


@pytest.mark.parametrize("kind", ["rsa", "ecdsa"])
def test_a_revoked_authority_of_a_host_is_refused(connect: Connect, place: Path, home: Path, kind: str) -> None:
    sign(place, kind, "-h", "-n", "127.0.0.1")
    shown = (f"HostKey {place / kind}", f"HostCertificate {place / f'{kind}-cert.pub'}")
    known, authority = home / ".ssh" / "known_hosts", (place / "authority.pub").read_text()
    known.write_text(f"@cert-authority 127.0.0.1 {authority}")
    assert talk(connect(*shown, host_key="").engine(), b"x") == b"xEND"
    known.write_text(f"@cert-authority 127.0.0.1 {authority}@revoked * {authority}127.0.0.1 ")
    with known.open("a") as file:
        file.write((place / f"{kind}.pub").read_text())
    with pytest.raises(rkx.errors.HostKeyMismatch, match="known_hosts:2 revokes"):
        connect(*shown, host_key="", host_keys="accept-new")


@pytest.mark.whole
def test_forbidden_streams_to_sockets_go_by_command(connect: Connect) -> None:
    opened = connect("AllowStreamLocalForwarding no")
    assert talk(opened.engine(), b"hello" * 100_000) == b"hello" * 100_000 + b"END"
    with pytest.raises(rkx.transport.DialForbidden):
        opened.dial("unix:/run/x", timeout_s=5)


@pytest.mark.whole
def test_one_session_at_a_time_is_enough_for_commands(connect: Connect) -> None:
    opened = connect("AllowStreamLocalForwarding no", "MaxSessions 1")
    assert [talk(opened.engine(), b"%d" % number) for number in range(3)] == [b"0END", b"1END", b"2END"]


def test_without_commands_too_the_option_is_named(connect: Connect) -> None:
    with pytest.raises(rkx.errors.StreamRefused) as caught:
        connect("AllowStreamLocalForwarding no", "MaxSessions 0").engine()
    assert "AllowStreamLocalForwarding" in caught.value.hint


def test_a_missing_socket_is_told_apart_from_a_forbidden_one(connect: Connect) -> None:
    with pytest.raises(rkx.errors.StreamRefused, match="/no/such does not exist"):
        connect(docker_socket="/no/such").engine()


def test_dial_reaches_tcp_is_refused_or_forbidden(connect: Connect) -> None:
    echo = Echo(None)
    address = f"tcp:127.0.0.1:{echo.port}"
    opened = connect()
    assert talk(opened.dial(address, timeout_s=5), b"x") == b"xEND"
    echo.close()
    with pytest.raises(rkx.errors.StreamRefused, match="Connection refused"):
        opened.dial(address, timeout_s=5)
    with pytest.raises(rkx.transport.DialForbidden, match="AllowTcpForwarding"):
        connect("AllowTcpForwarding no").dial(address, timeout_s=5)


@pytest.mark.parametrize(
    "old",
    [
        "Ciphers 3des-cbc",
        "Ciphers aes128-ctr\nMACs hmac-sha1",
        "KexAlgorithms diffie-hellman-group14-sha1,diffie-hellman-group1-sha1,diffie-hellman-group-exchange-sha1",
        "HostKeyAlgorithms ssh-rsa\nHostKey {place}/rsa",
    ],
)
def test_a_machine_with_old_algorithms_only_is_told_so(connect: Connect, place: Path, old: str) -> None:
    with pytest.raises(rkx.errors.ConnectFailed, match="shares no algorithm"):
        connect(old.format(place=place))


def test_a_users_key_signs_nothing_with_sha1(connect: Connect, place: Path) -> None:
    with pytest.raises(rkx.errors.AuthRejected):
        connect("PubkeyAcceptedAlgorithms ssh-rsa", ssh_key_path=str(place / "rsa"))


def test_only_keys_of_the_named_kind_are_asked_for_when_one_is_known(
    connect: Connect, place: Path, home: Path, user_keys: dict[str, Private]
) -> None:
    second = f"HostKey {place / 'rsa'}"
    (home / ".ssh" / "known_hosts").write_text(f"[127.0.0.1]:* {public_line(user_keys['rsa'])}\n")
    connect(second, host_key="").engine().close()


def test_a_machine_that_freezes_is_noticed(connect: Connect, started: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "KEEPALIVE_S", 0.1)
    opened = connect()
    with opened.engine() as sock:
        sock.settimeout(10)
        started[0].send(signal.SIGSTOP)
        assert sock.recv(1) == b""
    with pytest.raises(rkx.errors.ConnectFailed, match="is lost"):
        opened.engine()


def test_a_quiet_machine_that_answers_is_kept(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Semaphore(0)
    receive = session.Session._parse_request_failure

    def count(self: session.Session, m: Message) -> None:
        receive(self, m)
        answered.release()

    monkeypatch.setattr(session, "KEEPALIVE_S", 0.01)
    monkeypatch.setattr(session.Session, "_parse_request_failure", count)
    opened = connect()
    for _ in range(session.KEEPALIVES_UNANSWERED + 1):
        assert answered.acquire(timeout=10)
    assert talk(opened.engine(), b"x") == b"xEND"
