"""Bytes through an open node: both ways, many at once, directly or by a command."""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import paramiko
import pytest
from paramiko.common import OPEN_SUCCEEDED
from tests.plugins.transport_ssh.conftest import Open
from tests.plugins.transport_ssh.echo import Echo
from tests.plugins.transport_ssh.server import Behaviour, Server

import rkx
from rkx_transport_ssh import node, stdio
from rkx_transport_ssh.streams import SshStream

FAKE_DOCKER = """\
#!/bin/sh
test "$1 $3 $4" = "-H system dial-stdio" || exit 9
exec {python} -S -c '
import socket, sys, threading, os
sock = socket.socket(socket.AF_UNIX)
try:
    sock.connect(sys.argv[1].removeprefix("unix://"))
except OSError:
    sys.exit("Cannot connect to the Docker daemon")
def up():
    while piece := os.read(0, 65536):
        sock.sendall(piece)
    sock.shutdown(socket.SHUT_WR)
threading.Thread(target=up, daemon=True).start()
while piece := sock.recv(65536):
    os.write(1, piece)
' "$2"
"""


@pytest.fixture
def docker(tmp_path: Path, behaviour: Behaviour) -> Path:
    """A Docker client on the node that knows ``system dial-stdio`` only."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "docker"
    program.write_text(FAKE_DOCKER.format(python=os.path.realpath("/proc/self/exe")))
    program.chmod(0o755)
    behaviour.path = f"{folder}:/usr/bin:/bin"
    return program


class Lost:
    """A channel whose connection rests in a key exchange, and then is lost."""

    def sendall(self, _piece: bytes) -> None:
        raise paramiko.SSHException("Key-exchange timed out")

    def recv(self, _size: int) -> bytes:
        raise EOFError

    def shutdown_write(self) -> None:
        raise paramiko.SSHException("Key-exchange timed out")

    close = shutdown_write


def test_a_connection_that_is_lost_in_a_key_exchange_is_the_end_of_a_stream() -> None:
    ended = list[bool]()
    stream = SshStream(Lost(), at_end=lambda: ended.append(True))  # type: ignore[arg-type]
    for use in (lambda: stream.send_bytes(b"x"), stream.receive, stream.end_sending):
        with pytest.raises(OSError, match=r"Key-exchange|is lost"):
            use()
    stream.close()
    assert ended == [True]


@pytest.fixture
def echo() -> Iterator[Echo]:
    running = Echo(None)
    yield running
    running.close()


def talk(sock: socket.socket, text: bytes) -> bytes:
    with sock:
        sock.settimeout(20)
        sock.sendall(text)
        sock.shutdown(socket.SHUT_WR)
        return read_all(sock)


def read_all(sock: socket.socket) -> bytes:
    pieces = []
    while piece := sock.recv(1 << 20):
        pieces.append(piece)
    return b"".join(pieces)


def test_a_half_closed_stream_brings_the_rest_of_the_answer(open_node: Open, engine: Path) -> None:
    assert talk(open_node().engine(), b"hello") == b"helloEND"


def test_the_socket_is_plain_and_blocking(open_node: Open, engine: Path) -> None:
    with open_node().engine() as sock:
        assert sock.gettimeout() is None
        assert sock.fileno() >= 0


@pytest.mark.whole
def test_64_mib_go_both_ways_at_once(open_node: Open, engine: Path) -> None:
    block = os.urandom(1 << 20)
    sock = open_node().engine()

    def send() -> None:
        for _ in range(64):
            sock.sendall(block)
        sock.shutdown(socket.SHUT_WR)

    sender = threading.Thread(target=send)
    sender.start()
    received = read_all(sock)
    sender.join()
    sock.close()
    assert len(received) == (64 << 20) + 3
    assert hashlib.sha256(received).digest() == hashlib.sha256(block * 64 + b"END").digest()


def test_fifty_streams_at_once_share_one_connection(open_node: Open, engine: Path, server: Server) -> None:
    opened = open_node()
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda number: talk(opened.engine(), b"%d" % number * 1000), range(50)))
    assert answers == [b"%d" % number * 1000 + b"END" for number in range(50)]
    assert server.connections == 1


def test_closing_twice_is_fine_and_no_stream_opens_after(open_node: Open, engine: Path) -> None:
    opened = open_node()
    opened.close()
    opened.close()
    with pytest.raises(rkx.errors.ConnectFailed, match="is lost"):
        opened.engine()


def test_a_cut_connection_ends_streams_and_is_named(open_node: Open, engine: Path, server: Server) -> None:
    opened = open_node()
    with opened.engine() as sock:
        server.cut()
        assert sock.recv(1) == b""
    with pytest.raises(rkx.errors.ConnectFailed, match=r"ubuntu@127\.0\.0\.1:\d+ is lost") as caught:
        opened.engine()
    assert caught.value.node == "one"


def test_a_missing_docker_socket_is_named(open_node: Open) -> None:
    with pytest.raises(rkx.errors.StreamRefused, match=r"/docker\.sock does not exist") as caught:
        open_node().engine()
    assert caught.value.exit_code == 6


def test_a_file_in_the_place_of_the_socket_is_named(open_node: Open, tmp_path: Path) -> None:
    (tmp_path / "docker.sock").write_text("")
    with pytest.raises(rkx.errors.StreamRefused, match="is not a socket"):
        open_node().engine()


def test_dockerd_not_running_is_told_in_its_clients_words(open_node: Open, tmp_path: Path, docker: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "docker.sock"))
    with pytest.raises(rkx.errors.StreamRefused, match="Cannot connect to the Docker daemon"):
        open_node().engine()


def test_without_client_a_refused_socket_names_the_sshd_option(
    open_node: Open, engine: Path, behaviour: Behaviour, tmp_path: Path
) -> None:
    behaviour.no_streams_to_sockets = True
    (tmp_path / "sh").symlink_to("/bin/sh")
    behaviour.path = str(tmp_path)
    with pytest.raises(rkx.errors.StreamRefused) as caught:
        open_node().engine()
    assert "AllowStreamLocalForwarding" in caught.value.hint


def test_a_user_outside_the_group_is_told_so(
    open_node: Open, engine: Path, behaviour: Behaviour, docker: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    behaviour.no_streams_to_sockets = True
    # the server runs as the tests' own user, who may: so the status is made to come out
    monkeypatch.setattr(stdio, "SCRIPT", stdio.SCRIPT.replace("test -r $S", "false"))
    with pytest.raises(rkx.errors.StreamRefused, match="ubuntu may not use") as caught:
        open_node().engine()
    assert "usermod -aG docker ubuntu" in caught.value.hint


def test_the_script_sees_that_a_user_may_not_use_the_socket() -> None:
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as other:
        os.chmod(folder, 0o755)
        other.bind(f"{folder}/docker.sock")
        os.chmod(f"{folder}/docker.sock", 0o600 if os.getuid() == 0 else 0)
        nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.getuid() == 0 else []
        script = stdio.SCRIPT.format(socket=f"{folder}/docker.sock")
        ended = subprocess.run([*nobody, "sh", "-c", script], check=False)
    assert ended.returncode == stdio.FORBIDDEN


def test_without_commands_the_refusal_says_that_nothing_was_learnt(open_node: Open, behaviour: Behaviour) -> None:
    behaviour.no_commands = True
    with pytest.raises(rkx.errors.StreamRefused, match="no command may be run"):
        open_node().engine()


def test_forbidden_streams_go_by_command_past_a_noisy_profile(
    open_node: Open, engine: Path, behaviour: Behaviour, docker: Path
) -> None:
    behaviour.no_streams_to_sockets = True
    behaviour.profile = "echo Welcome to this machine"
    opened = open_node()
    assert talk(opened.engine(), b"hello") == b"helloEND"
    assert talk(opened.engine(), b"again" * 100_000) == b"again" * 100_000 + b"END"


@pytest.mark.whole
@pytest.mark.parametrize("allowed", [10, 2, 1])
def test_streams_by_command_wait_for_each_other(
    open_node: Open, engine: Path, behaviour: Behaviour, docker: Path, allowed: int
) -> None:
    behaviour.no_streams_to_sockets = True
    behaviour.max_sessions = allowed
    opened = open_node()
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda number: talk(opened.engine(), b"%d" % number), range(12)))
    assert answers == [b"%dEND" % number for number in range(12)]


def test_where_all_streams_stay_taken_it_is_told_so(
    open_node: Open, engine: Path, behaviour: Behaviour, docker: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    behaviour.no_streams_to_sockets = True
    behaviour.max_sessions = 1
    opened = open_node()
    with opened.engine():
        monkeypatch.setattr(node, "PLACE_S", 0.2)
        with pytest.raises(rkx.errors.TimedOut, match="all streams of this node stayed taken for 0"):
            opened.engine()


def test_a_direct_way_that_worked_is_kept_when_dockerd_restarts(
    open_node: Open, engine: Path, behaviour: Behaviour, docker: Path
) -> None:
    opened = open_node()
    opened.engine().close()
    behaviour.no_streams_to_sockets = True
    with pytest.raises(rkx.errors.StreamRefused):
        opened.engine()
    behaviour.no_streams_to_sockets = False
    assert talk(opened.engine(), b"x") == b"xEND"


def test_at_most_eight_commands_hold_a_place() -> None:
    slots = stdio.Slots()
    assert [slots.take(0) for _ in range(9)] == [True] * 8 + [False]
    slots.give_back()
    assert slots.take(0)


def test_dial_reaches_tcp_and_unix_addresses(open_node: Open, engine: Path, echo: Echo) -> None:
    opened = open_node()
    assert talk(opened.dial(f"tcp:127.0.0.1:{echo.port}", timeout_s=5), b"t") == b"tEND"
    assert talk(opened.dial(f"unix:{engine}", timeout_s=5), b"u") == b"uEND"


def test_dial_to_a_port_where_nothing_listens_is_refused(open_node: Open) -> None:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        port = bound.getsockname()[1]
    with pytest.raises(rkx.errors.StreamRefused, match=f"tcp:127.0.0.1:{port}"):
        open_node().dial(f"tcp:127.0.0.1:{port}", timeout_s=5)


def test_dial_to_a_missing_socket_is_refused(open_node: Open, engine: Path) -> None:
    with pytest.raises(rkx.errors.StreamRefused, match="unix:/nowhere"):
        open_node().dial("unix:/nowhere", timeout_s=5)


def test_forbidden_tcp_is_told_apart(open_node: Open, behaviour: Behaviour) -> None:
    behaviour.no_tcp = True
    with pytest.raises(rkx.transport.DialForbidden, match="AllowTcpForwarding"):
        open_node().dial("tcp:127.0.0.1:1", timeout_s=5)


def test_forbidden_unix_streams_are_told_apart(
    open_node: Open, engine: Path, behaviour: Behaviour, docker: Path
) -> None:
    behaviour.no_streams_to_sockets = True
    with pytest.raises(rkx.transport.DialForbidden, match="AllowStreamLocalForwarding"):
        open_node().dial("unix:/run/x", timeout_s=5)


def test_refusals_of_threads_are_not_mixed_up(open_node: Open, behaviour: Behaviour, engine: Path) -> None:
    behaviour.no_tcp = True
    opened = open_node()

    def attempt(number: int) -> str:
        try:
            opened.dial("tcp:127.0.0.1:1" if number % 2 else "unix:/nowhere", timeout_s=5).close()
        except rkx.transport.DialForbidden:
            return "forbidden"
        except rkx.errors.StreamRefused:
            return "refused"
        return "open"

    opened.engine().close()
    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(attempt, range(100))) == ["refused", "forbidden"] * 50


def test_an_address_of_another_kind_is_a_mistake_of_the_caller(open_node: Open) -> None:
    with pytest.raises(ValueError, match="neither"):
        open_node().dial("udp:1.2.3.4:5", timeout_s=1)


def test_an_sshd_that_never_ends_a_stream_keeps_none_of_our_descriptors(
    open_node: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rkx.transport.ENDS_S", 0.05)
    monkeypatch.setattr("tests.plugins.transport_ssh.server._Rules._reach", lambda *_: OPEN_SUCCEEDED)
    opened = open_node()
    threads, descriptors = set(threading.enumerate()), len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        opened.engine().close()
    for thread in set(threading.enumerate()) - threads:
        thread.join(5)
    assert len(os.listdir("/proc/self/fd")) == descriptors
