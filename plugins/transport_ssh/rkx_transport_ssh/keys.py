"""Private keys: from a file, inline or from ssh-agent, with their certificates."""

from __future__ import annotations

import base64
import binascii
import io
import os
import re
from collections.abc import Callable
from pathlib import Path

import paramiko
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

import rkx
from rkx_transport_ssh.keyfiles import MOST_BYTES, read_private
from rkx_transport_ssh.route import KeyChoice, expanded

BODY = re.compile(r"-----BEGIN OPENSSH PRIVATE KEY-----(.*?)-----END", re.DOTALL)
MAGIC = b"openssh-key-v1\0"
Ask = Callable[[str], bytes]
"""Gives the passphrase of the key that is called so."""
Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


def load(choice: KeyChoice, user: str, ask: Ask) -> list[tuple[str, paramiko.PKey]]:
    """Read the keys to show, each with what to call it in a message; those of the agent are not among them.

    Raises ConfigError for a key that is missing, public, readable by others or not opened by its passphrase.
    """
    if choice.key:
        label = f"the ssh_key of {user}"
        return [(label, _certified(_private(choice.key.reveal(), label, ask), choice, None))]
    loaded = []
    for path in _files(choice):
        key = _private(read_private(path), str(path), ask)
        loaded.append((str(path), _certified(key, choice, path)))
    return loaded


def _files(choice: KeyChoice) -> list[Path]:
    if not choice.usual:
        return list(choice.paths)
    existing = [path for path in choice.paths if os.path.isfile(path)]  # and raises nothing
    if not existing and not choice.agent:
        looked = ", ".join(str(path) for path in choice.paths)
        raise rkx.ConfigError(f"no SSH key found: {looked}", hint="give ssh_key_path, or ssh_agent_auth: true")
    return [] if choice.agent else existing[:1]


def _private(text: str, label: str, ask: Ask) -> paramiko.PKey:
    passphrase = ask(label) if is_encrypted(text) else None
    try:
        return _for_paramiko(_parse(text.encode(), passphrase))
    except (ValueError, TypeError, UnsupportedAlgorithm, paramiko.SSHException) as error:
        if passphrase is not None:
            raise rkx.ConfigError(
                f"the passphrase does not open the SSH key {label}",
                hint="run rkx again and give another, or put the key into ssh-agent and set ssh_agent_auth: true",
            ) from error
        # the library's words may hold parts of the text
        raise rkx.ConfigError(
            f"SSH key {label} is not a private key that can be read", hint="RSA, ECDSA and Ed25519 keys are understood"
        ) from None


def is_encrypted(text: str) -> bool:
    """Return whether a private key wants a passphrase."""
    if "ENCRYPTED" in text.split("\n\n", 1)[0]:
        return True
    body = BODY.search(text)
    if not body:
        return False
    try:
        raw = base64.b64decode("".join(body.group(1).split()))
    except binascii.Error:
        return False
    cipher_at = len(MAGIC) + 4
    return raw.startswith(MAGIC) and raw[cipher_at : cipher_at + 4] != b"none"


def _parse(text: bytes, passphrase: bytes | None) -> Private:
    if b"BEGIN OPENSSH PRIVATE KEY" in text:
        key: object = serialization.load_ssh_private_key(text, passphrase)
    else:
        key = serialization.load_pem_private_key(text, passphrase)
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey):
        raise TypeError("unknown kind")
    return key


def _for_paramiko(key: Private) -> paramiko.PKey:
    """Hand the opened key over by its unencrypted form, which never leaves memory: paramiko takes no Ed25519 object."""
    plain = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    kind: type[paramiko.PKey] = paramiko.Ed25519Key
    if isinstance(key, rsa.RSAPrivateKey):
        kind = paramiko.RSAKey
    elif isinstance(key, ec.EllipticCurvePrivateKey):
        kind = paramiko.ECDSAKey
    return kind.from_private_key(io.StringIO(plain.decode()))


def _certified(key: paramiko.PKey, choice: KeyChoice, path: Path | None) -> paramiko.PKey:
    """Add the certificate: the inline one, the file named, or the file beside the key as OpenSSH calls it."""
    beside = Path(f"{path}-cert.pub") if path else None
    label, text = "ssh_cert", choice.cert
    if not text and choice.cert_path:
        label, text = choice.cert_path, _read_certificate(expanded(choice.cert_path))
    elif not text and beside and os.path.isfile(beside):
        label, text = str(beside), _read_certificate(beside)
    if text:
        _add_certificate(key, text, label)
    return key


def _read_certificate(path: Path) -> str:
    try:
        return rkx.read_text(path, MOST_BYTES, encoding="ascii", errors="replace")
    except OSError as error:
        raise rkx.ConfigError(f"SSH certificate {path} cannot be read: {error.strerror}") from error


def _add_certificate(key: paramiko.PKey, text: str, label: str) -> None:
    if "-cert-v01@openssh.com" not in text.split(" ", 1)[0]:
        raise rkx.ConfigError(
            f"SSH certificate {label} is not an OpenSSH certificate",
            hint="sign the public key: ssh-keygen -s",
        )
    try:
        key.load_certificate(text.strip())
    except (ValueError, paramiko.SSHException) as error:
        raise rkx.ConfigError(f"SSH certificate {label} does not fit its key: {error}") from error
