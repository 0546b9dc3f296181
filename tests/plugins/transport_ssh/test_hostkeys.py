"""Host keys: known, unknown, changed, revoked, pinned, signed by an authority."""

from __future__ import annotations

import base64
import hmac
import time
from pathlib import Path

import paramiko
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import SSHCertificateBuilder, SSHCertificateType
from tests.plugins.transport_ssh.conftest import Open, public_line
from tests.plugins.transport_ssh.server import Server

import rkx
from rkx_transport_ssh import SshConfig
from rkx_transport_ssh.host_names import names_match
from rkx_transport_ssh.hostcerts import refusal
from rkx_transport_ssh.hostkeys import (
    KnownKey,
    Offered,
    fingerprint,
    known_keys,
    preferred_kinds,
    verify,
)
from rkx_transport_ssh.keys import Private
from rkx_transport_ssh.route import route


@pytest.fixture
def known_hosts(home: Path) -> Path:
    return home / ".ssh" / "known_hosts"


def blob(key: Private) -> bytes:
    return paramiko.pkey.PublicBlob.from_string(public_line(key)).key_blob


def hashed(name: str) -> str:
    salt = b"s" * 20
    digest = hmac.new(salt, name.encode(), "sha1").digest()
    return f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(digest).decode()}"


@pytest.mark.parametrize("form", ["[127.0.0.1]:{port}", "other,[127.0.0.1]:{port}", "[127.0.0.*]:{port}", "hashed"])
def test_a_known_key_is_accepted(
    open_node: Open, server: Server, known_hosts: Path, host_keys: tuple[Private, Private], form: str
) -> None:
    name = hashed(f"[127.0.0.1]:{server.port}") if form == "hashed" else form.format(port=server.port)
    known_hosts.write_text(f"# a comment\n\nbroken\n{name} {public_line(host_keys[0])} me@here\n")
    open_node(host_key="").close()


def test_an_unknown_key_is_refused_with_its_fingerprint(
    open_node: Open, server: Server, known_hosts: Path, host_keys: tuple[Private, Private]
) -> None:
    with pytest.raises(rkx.errors.HostKeyMismatch) as caught:
        open_node(host_key="")
    assert f"127.0.0.1:{server.port} shows the host key ssh-ed25519" in caught.value.message
    assert fingerprint(blob(host_keys[0])) in caught.value.message
    assert str(known_hosts) in caught.value.message
    assert "accept-new" in caught.value.hint
    assert not known_hosts.exists()


@pytest.mark.parametrize("mode", ["strict", "accept-new"])
def test_a_changed_key_is_refused_with_both_fingerprints_and_the_line(
    open_node: Open, server: Server, known_hosts: Path, host_keys: tuple[Private, Private], mode: str
) -> None:
    before = f"# a comment\n[127.0.0.1]:{server.port} {public_line(host_keys[1])}\n"
    known_hosts.write_text(before)
    with pytest.raises(rkx.errors.HostKeyMismatch) as caught:
        open_node(host_key="", host_keys=mode)
    for part in (fingerprint(blob(host_keys[0])), fingerprint(blob(host_keys[1])), f"{known_hosts}:2"):
        assert part in caught.value.message
    assert known_hosts.read_text() == before


def test_accept_new_adds_a_line_once(
    open_node: Open, server: Server, known_hosts: Path, host_keys: tuple[Private, Private]
) -> None:
    known_hosts.write_text("somewhere else")
    open_node(host_key="", host_keys="accept-new").close()
    line = f"[127.0.0.1]:{server.port} {public_line(host_keys[0])}"
    assert known_hosts.read_text() == f"somewhere else\n{line}\n"
    open_node(host_key="", host_keys="accept-new").close()
    open_node(host_key="").close()
    assert known_hosts.read_text().count("ssh-ed25519") == 1


def test_accept_new_makes_the_file_for_its_owner_alone(open_node: Open, tmp_path: Path) -> None:
    known = tmp_path / "new" / "known"
    open_node(host_key="", host_keys="accept-new", known_hosts=str(known)).close()
    assert known.stat().st_mode & 0o777 == 0o600


def test_a_revoked_key_is_refused_though_known(
    open_node: Open, server: Server, known_hosts: Path, host_keys: tuple[Private, Private]
) -> None:
    line = f"[127.0.0.1]:{server.port} {public_line(host_keys[0])}\n"
    known_hosts.write_text(f"{line}@revoked * {public_line(host_keys[0])}\n")
    with pytest.raises(rkx.errors.HostKeyMismatch, match=r"known_hosts:2 revokes"):
        open_node(host_key="", host_keys="accept-new")


def test_a_revoked_key_is_refused_though_pinned(
    open_node: Open, known_hosts: Path, host_keys: tuple[Private, Private]
) -> None:
    known_hosts.write_text(f"@revoked 127.0.0.1 {public_line(host_keys[0])}\n")
    with pytest.raises(rkx.errors.HostKeyMismatch, match=r"known_hosts:1 revokes"):
        open_node(host_key=public_line(host_keys[0]))


def test_a_pinned_key_that_differs_is_refused(
    open_node: Open, server: Server, known_hosts: Path, host_keys: tuple[Private, Private]
) -> None:
    known_hosts.write_text(f"[127.0.0.1]:{server.port} {public_line(host_keys[0])}\n")
    with pytest.raises(rkx.errors.HostKeyMismatch, match=r"host_key in cluster\.yml"):
        open_node(host_key=public_line(host_keys[1]))


def test_a_pinned_key_that_is_none_is_a_mistake(open_node: Open) -> None:
    with pytest.raises(rkx.ConfigError, match="host_key is not a public key"):
        open_node(host_key="SHA256:abc")


def test_no_key_of_the_user_is_shown_to_an_unknown_machine(open_node: Open, server: Server) -> None:
    with pytest.raises(rkx.errors.HostKeyMismatch):
        open_node(host_key="", ssh_key_path="/no/such/key")


@pytest.mark.parametrize(
    ("names", "wanted", "matches"),
    [
        ("one.example.com", "one.example.com", True),
        ("ONE.example.com", "one.example.com", True),
        ("*.example.com,!two.example.com", "one.example.com", True),
        ("*.example.com,!two.example.com", "two.example.com", False),
        ("10.0.0.?", "10.0.0.7", True),
        ("[10.0.0.7]:2222", "10.0.0.7", False),
        ("[10.0.0.7]:2222", "[10.0.0.7]:2222", True),
        (hashed("one"), "one", True),
        (hashed("one"), "two", False),
        ("|1|broken", "one", False),
    ],
)
def test_names_of_a_line_match_as_openssh_does(names: str, wanted: str, matches: bool) -> None:
    assert names_match(names, wanted) is matches


def test_kinds_that_can_be_verified_are_asked_for_first() -> None:
    def known(marker: str, kind: str) -> KnownKey:
        return KnownKey(place="", marker=marker, kind=kind, blob=b"")

    assert preferred_kinds([known("", "ssh-rsa")])[:3] == ("rsa-sha2-512", "rsa-sha2-256", "ssh-ed25519")
    assert preferred_kinds([known("@cert-authority", "ssh-rsa")])[0] == "ssh-ed25519-cert-v01@openssh.com"
    assert preferred_kinds([known("@revoked", "ssh-rsa")])[0] == "ssh-ed25519"


def certificate(
    authority: ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey,
    *,
    key: ed25519.Ed25519PrivateKey | None = None,
    kind: SSHCertificateType = SSHCertificateType.HOST,
    names: tuple[bytes, ...] = (b"one.example.com",),
    ends_in_s: int = 3600,
) -> bytes:
    now = int(time.time())
    signed = (
        SSHCertificateBuilder()
        .public_key((key or ed25519.Ed25519PrivateKey.generate()).public_key())
        .type(kind)
        .key_id(b"test")
        .valid_principals(list(names))
        .valid_after(now - 7200)
        .valid_before(now + ends_in_s)
        .sign(authority)
    )
    return base64.b64decode(signed.public_bytes().split()[1])


def test_a_certificate_is_judged() -> None:
    authority, stranger = ed25519.Ed25519PrivateKey.generate(), ed25519.Ed25519PrivateKey.generate()
    trusted = [blob(authority)]
    good = certificate(authority)
    assert refusal(good, "one.example.com", trusted) == ""
    assert refusal(certificate(authority, names=(b"*.Example.com",)), "one.example.com", trusted) == ""
    assert refusal(certificate(stranger), "one.example.com", trusted) is None
    assert refusal(good, "two.example.com", trusted) == "it is for one.example.com"
    assert refusal(certificate(authority, names=(b"[on]ne",)), "one", trusted) == "it is for [on]ne"
    assert "time" in str(refusal(certificate(authority, ends_in_s=-60), "one.example.com", trusted))
    user = certificate(authority, kind=SSHCertificateType.USER)
    assert "user's" in str(refusal(user, "one.example.com", trusted))
    assert "signature" in str(refusal(good[:-1] + bytes([good[-1] ^ 1]), "one.example.com", trusted))


def string(content: bytes) -> bytes:
    return len(content).to_bytes(4) + content


def test_a_certificate_that_is_signed_with_sha1_is_refused(user_keys: dict[str, Private]) -> None:
    authority = user_keys["rsa"]
    assert isinstance(authority, rsa.RSAPrivateKey)
    good = certificate(authority)
    assert refusal(good, "one.example.com", [blob(authority)]) == ""
    before, mark, _ = good.rpartition(string(blob(authority)))
    signature = authority.sign(before + mark, padding.PKCS1v15(), hashes.SHA1())
    old = before + mark + string(string(b"ssh-rsa") + string(signature))
    assert refusal(old, "one.example.com", [blob(authority)]) == "its authority signed it with SHA-1"


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("mode", ["strict", "accept-new"])
def test_a_revoked_authority_is_refused_whatever_else_is_known(known_hosts: Path, plain: bool, mode: str) -> None:
    authority, key = ed25519.Ed25519PrivateKey.generate(), ed25519.Ed25519PrivateKey.generate()
    lines = ["@cert-authority *.example.com {authority}", "@revoked * {authority}", *["one.example.com {key}"] * plain]
    text = "\n".join(lines).format(authority=public_line(authority), key=public_line(key))
    known_hosts.write_text(text + "\n")
    (hop,) = route(SshConfig(user="ubuntu", host_keys=mode), "one.example.com", "one")  # type: ignore[arg-type]
    offered = Offered(kind="ssh-ed25519", key=blob(key), sent=certificate(authority, key=key))
    with pytest.raises(rkx.errors.HostKeyMismatch, match="known_hosts:2 revokes"):
        verify(hop, offered, known_keys(hop.host_keys))
    assert known_hosts.read_text() == text + "\n"


@pytest.mark.parametrize(
    ("line", "openssh_config", "fits"),
    [
        ("*.example.com", "", True),
        ("[one.example.com]:2222", "", True),
        ("[one.example.com]:22", "", False),
        ("*,!one.example.com", "HostKeyAlias named", True),
        ("*,!named", "HostKeyAlias named", False),
        ("named", "HostKeyAlias named", True),
    ],
)
def test_authorities_are_known_with_and_without_the_port(
    home: Path, line: str, openssh_config: str, fits: bool
) -> None:
    authority, key = ed25519.Ed25519PrivateKey.generate(), ed25519.Ed25519PrivateKey.generate()
    (home / ".ssh" / "known_hosts").write_text(f"@cert-authority {line} {public_line(authority)}\n")
    (home / ".ssh" / "config").write_text(openssh_config)
    (hop,) = route(SshConfig(user="ubuntu", port=2222), "ONE.example.com", "one")
    names = (b"named",) if openssh_config else (b"one.example.com",)
    offered = Offered(kind="ssh-ed25519", key=blob(key), sent=certificate(authority, key=key, names=names))
    known = known_keys(hop.host_keys)
    assert bool(known) is fits
    if fits:
        verify(hop, offered, known)


def test_a_known_hosts_that_cannot_be_read_is_named(open_node: Open, known_hosts: Path) -> None:
    known_hosts.mkdir()
    with pytest.raises(rkx.ConfigError, match="known_hosts cannot be read: Is a directory"):
        open_node(host_key="")


def test_fingerprints_look_as_in_openssh() -> None:
    key = serialization.load_ssh_public_key(
        b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
    )
    assert isinstance(key, ed25519.Ed25519PublicKey)
    line = key.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    # the key of github.com, with the fingerprint that its documentation gives
    assert fingerprint(base64.b64decode(line.split()[1])) == "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU"
