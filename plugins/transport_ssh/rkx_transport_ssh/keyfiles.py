"""Files of private keys: whether they may be used, without reading the key itself."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import rkx

PUBLIC = re.compile(r"^\s*(ssh-|ecdsa-|sk-|-+ ?BEGIN (SSH2 |RSA )?PUBLIC KEY)")

MOST_BYTES = 1 << 20
"""Of a private key, or a certificate: they have some KiB."""


def read_private(path: Path) -> str:
    """Read a private key's file; ConfigError if it is missing, readable by others or not a private key."""
    with _named(path):
        text = rkx.read_text(path, MOST_BYTES, encoding="ascii", errors="replace")
    if PUBLIC.match(text):
        raise rkx.ConfigError(f"SSH key {path} is a public key", hint=_private_hint(path))
    check_file(path)
    return text


def check_file(path: Path) -> None:
    """Raise ConfigError if a private key's file is missing or readable by others; it is not opened."""
    with _named(path):
        mode = path.stat().st_mode
    if path.suffix == ".pub":
        raise rkx.ConfigError(f"SSH key {path} is a public key", hint=_private_hint(path))
    if not stat.S_ISREG(mode):
        raise rkx.ConfigError(f"SSH key {path} is not a regular file", hint="give the private key in ssh_key_path")
    if mode & 0o077:
        raise rkx.ConfigError(
            f"SSH key {path} may be read by others: its mode is {mode & 0o777:04o}", hint=f"chmod 600 {path}"
        )


@contextmanager
def _named(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise rkx.ConfigError(f"SSH key {path} does not exist", hint="give the private key in ssh_key_path") from None
    except OSError as error:
        raise rkx.ConfigError(
            f"SSH key {path} cannot be read: {error.strerror}",
            hint=f"name the file of a private key; chmod 600 {path}, as its owner",
        ) from error


def check_inline(text: str) -> None:
    """Raise ConfigError if an inline key is a public one, or none at all."""
    if PUBLIC.match(text):
        raise rkx.ConfigError("ssh_key is a public key", hint="give the private half")
    if "PRIVATE KEY-----" not in text:
        raise rkx.ConfigError("ssh_key is not a private key in PEM form", hint='it begins with "-----BEGIN"')


def _private_hint(path: Path) -> str:
    half = path.with_suffix("")
    there = f": {half} is there" if path.suffix == ".pub" and os.path.isfile(half) else ""
    return f"give the private half{there}"
