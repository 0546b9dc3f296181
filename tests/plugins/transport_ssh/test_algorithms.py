"""What is offered to a machine, as it reads it: the same over all versions of paramiko that are allowed."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator

import paramiko
import pytest
from paramiko.message import Message
from tests.plugins.transport_ssh.conftest import Open

import rkx
from rkx_transport_ssh import algorithms
from rkx_transport_ssh.algorithms import CERTIFICATE, KEYS
from rkx_transport_ssh.session import Session

WEAK = re.compile(r"sha1|md5|-96|cbc|des|arcfour|dss|ssh-rsa|group1-|exchange-sha|umac-64")
LISTS = ("kex", "host keys", "ciphers up", "ciphers down", "macs up", "macs down", "compression up", "compression down")
SIGNS = {"ext-info-c", "kex-strict-c", "kex-strict-c-v00@openssh.com"}
"""No key exchange, though they stand there (RFC 8308, and OpenSSH's PROTOCOL)."""


class Reader:
    """Greets as a server, and keeps what the client offers (RFC 4253, section 7.1)."""

    def __init__(self) -> None:
        self.offered: dict[str, list[str]] = {}
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        sock, _ = self._listener.accept()
        self._listener.close()  # who comes again is refused at once
        with sock, sock.makefile("rb") as file:
            sock.sendall(b"SSH-2.0-OpenSSH_9.9\r\n")
            file.readline()
            packet = file.read(int.from_bytes(file.read(4)))
            offer = Message(packet[1 + 1 + 16 :])  # after the padding's length, the kind of message and the cookie
            self.offered = {name: offer.get_list() for name in LISTS}

    def close(self) -> None:
        self._thread.join()


@pytest.fixture
def reader() -> Iterator[Reader]:
    running = Reader()
    yield running
    running.close()


def test_nothing_weak_is_offered(reader: Reader, open_node: Open) -> None:
    with pytest.raises(rkx.errors.TransportError):
        open_node(port=reader.port)
    reader.close()
    offered = reader.offered
    assert [name for names in offered.values() for name in names if WEAK.search(name)] == []
    assert set(offered["kex"]) - SIGNS <= set(algorithms.KEY_EXCHANGES)
    assert "curve25519-sha256@libssh.org" in offered["kex"]
    assert offered["host keys"] == list(KEYS)
    assert offered["ciphers up"] == offered["ciphers down"] == list(algorithms.CIPHERS)
    assert offered["macs up"] == offered["macs down"] == list(algorithms.MACS)
    assert offered["compression up"] == offered["compression down"] == ["none"]


def test_a_host_key_signs_as_was_agreed() -> None:
    ours, theirs = socket.socketpair()
    key = paramiko.RSAKey.generate(2048)
    with ours, theirs:
        session = Session(ours, KEYS)
        session.H = b"what both know"
        for agreed, signed, fits in (
            ("rsa-sha2-512", "rsa-sha2-512", True),
            (f"rsa-sha2-512{CERTIFICATE}", "rsa-sha2-512", True),
            ("rsa-sha2-512", "rsa-sha2-256", False),
        ):
            session.host_key_type = agreed
            signature = key.sign_ssh_data(session.H, signed).asbytes()
            if fits:
                session._verify_key(key.asbytes(), signature)
                continue
            with pytest.raises(paramiko.SSHException, match="signs otherwise than as rsa-sha2-512"):
                session._verify_key(key.asbytes(), signature)
