"""Host keys: what known_hosts says, and whether a machine is the one it should be."""

from __future__ import annotations

import base64
import binascii
import contextlib
import errno
import hashlib
import logging
import os
import stat
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

import rkx
from rkx_transport_ssh.algorithms import CERTIFICATE, KEYS, RSA
from rkx_transport_ssh.host_names import names_match
from rkx_transport_ssh.route import Hop, HostKeyPolicy

HINT_UNKNOWN = (
    "compare the fingerprint with the machine's own (ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub), then sign in once "
    "with ssh, or set host_keys: accept-new"
)
HINT_CHANGED = "if the machine was reinstalled, take the old line out of the file; otherwise suspect interception"
HINT_FILE = "host keys are looked up there"
MOST_BYTES = 32 << 20
"""Of one file of known hosts: 100 bytes for each key."""
NOBODY = Path(os.devnull)
"""The usual way to say in ~/.ssh/config that no host is known."""

log = logging.getLogger("rkx.transport_ssh")


class KnownKey(msgspec.Struct, frozen=True, kw_only=True):
    """One line of known_hosts that speaks of the machine; ``marker`` is empty, @revoked or @cert-authority."""

    place: str
    marker: str
    kind: str
    blob: bytes


class Offered(msgspec.Struct, frozen=True, kw_only=True):
    """What the machine showed: its key, and all that it sent, which is more if it is a certificate."""

    kind: str
    key: bytes
    sent: bytes


def fingerprint(blob: bytes) -> str:
    """Return a key's fingerprint as OpenSSH shows it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def known_keys(policy: HostKeyPolicy) -> list[KnownKey]:
    """Read the lines of known_hosts that match the machine; a pinned key takes the place of all but revoked ones."""
    lines = [key for path in policy.files for key in _lines(path, policy)]
    if policy.pinned:
        return [pinned_key(policy.pinned), *(key for key in lines if key.marker == "@revoked")]
    return lines


def preferred_kinds(known: Sequence[KnownKey]) -> tuple[str, ...]:
    """Order the kinds to ask the machine for: those that can be verified first."""
    certified = [kind + CERTIFICATE for kind in KEYS] if any(key.marker == "@cert-authority" for key in known) else []
    named = [kind for key in known if not key.marker for kind in (RSA if key.kind == "ssh-rsa" else (key.kind,))]
    return tuple(dict.fromkeys([*certified, *(kind for kind in named if kind in KEYS), *KEYS]))


def verify(hop: Hop, offered: Offered, known: Sequence[KnownKey]) -> None:
    """Raise HostKeyMismatch unless the machine is known by its key or certificate; may add a new key to known_hosts."""
    if revoked := next((key for key in known if key.marker == "@revoked" and _rests_on(offered, key.blob)), None):
        raise _mismatch(hop, offered, f"which {revoked.place} revokes", "the machine must not be trusted")
    plain = [key for key in known if not key.marker]
    if any(key.blob == offered.key for key in plain):
        return
    objection = _certificate_objection(hop, offered, known)
    if objection == "":
        return
    if plain:
        same_kind = [key for key in plain if key.kind == offered.kind]
        first = (same_kind or plain)[0]
        raise _mismatch(hop, offered, f"but {first.place} knows {first.kind} {fingerprint(first.blob)}", HINT_CHANGED)
    if objection:
        raise _mismatch(hop, offered, f"with a certificate that does not do: {objection}", "ask who runs the authority")
    if hop.host_keys.mode == "strict":
        searched = ", ".join(str(path) for path in hop.host_keys.files)
        raise _mismatch(hop, offered, f"which is not known in {searched}", HINT_UNKNOWN)
    _add(hop, offered)


def _rests_on(offered: Offered, blob: bytes) -> bool:
    """Return whether a key is the machine's own, or is in its certificate, as that of the authority is."""
    return blob == offered.key or struct.pack(">I", len(blob)) + blob in offered.sent


def _mismatch(hop: Hop, offered: Offered, why: str, hint: str) -> rkx.errors.HostKeyMismatch:
    shown = f"{hop.host}:{hop.port} shows the host key {offered.kind} {fingerprint(offered.key)}"
    return rkx.errors.HostKeyMismatch(f"{shown}, {why}", node=hop.node, hint=hint)


def _certificate_objection(hop: Hop, offered: Offered, known: Sequence[KnownKey]) -> str | None:
    """Say what is wrong with a certificate; empty if nothing is, None if there is none or no authority for it."""
    authorities = [key.blob for key in known if key.marker == "@cert-authority"]
    if offered.sent == offered.key or not authorities:
        return None
    from rkx_transport_ssh.hostcerts import refusal  # few hosts have certificates

    return refusal(offered.sent, hop.host_keys.host, authorities)


def pinned_key(line: str) -> KnownKey:
    """Read a pinned key; ConfigError if it is not a public key's line."""
    kind, _, rest = line.strip().partition(" ")
    blob = _blob(rest.split(" ", 1)[0])
    if not blob:
        raise rkx.ConfigError("host_key is not a public key", hint="it looks like: ssh-ed25519 AAAAC3Nz...")
    return KnownKey(place="host_key in cluster.yml", marker="", kind=kind, blob=blob)


def check_file(path: Path) -> None:
    """Raise ConfigError for what is there and no file of known hosts; it is not opened."""
    with contextlib.suppress(FileNotFoundError), _readable(path):
        if not stat.S_ISREG(path.stat().st_mode) and path != NOBODY:
            raise OSError(errno.EINVAL, "it is not a regular file")


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise rkx.ConfigError(f"{path} cannot be read: {error.strerror}", hint=HINT_FILE) from error


def _text(path: Path) -> str:
    with contextlib.suppress(FileNotFoundError), _readable(path):
        return "" if path == NOBODY else rkx.read_text(path, MOST_BYTES, errors="replace")
    return ""


def _lines(path: Path, policy: HostKeyPolicy) -> Iterator[KnownKey]:
    for number, line in enumerate(_text(path).splitlines(), 1):
        fields = line.split()
        marker = fields.pop(0) if fields and fields[0].startswith("@") else ""
        if len(fields) < 3 or fields[0].startswith("#") or not _speaks_of(policy, fields[0], marker):
            continue
        if blob := _blob(fields[2]):
            yield KnownKey(place=f"{path}:{number}", marker=marker, kind=fields[1], blob=blob)


def _speaks_of(policy: HostKeyPolicy, names: str, marker: str) -> bool:
    """Return whether a line names the machine; one of authorities or revoked keys may omit the port, as in OpenSSH."""
    return names_match(names, policy.name) or (marker != "" and names_match(names, policy.host))


def _blob(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""


def _add(hop: Hop, offered: Offered) -> None:
    """Append the new key in one write, so that several runs at once never mix their lines."""
    path = hop.host_keys.files[0]
    line = f"{hop.host_keys.name} {offered.kind} {base64.b64encode(offered.key).decode()}\n"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            unfinished = size and os.pread(descriptor, 1, size - 1) != b"\n"
            os.write(descriptor, f"{chr(10) if unfinished else ''}{line}".encode())
        finally:
            os.close(descriptor)
    except OSError as error:
        raise rkx.errors.HostKeyMismatch(
            f"the new host key of {hop.host}:{hop.port} cannot be added to {path}: {error.strerror}", node=hop.node
        ) from error
    log.info("accepted the new host key %s %s of %s", offered.kind, fingerprint(offered.key), hop.host_keys.name)
