"""Which algorithms of SSH may be used, the preferred first: no SHA-1, MD5, CBC or DSA, no group below 2048 bits.

Group exchange is left out because the server chooses the group there, which may be small.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import paramiko

KEY_EXCHANGES = (
    "mlkem768x25519-sha256",
    "sntrup761x25519-sha512",
    "sntrup761x25519-sha512@openssh.com",
    "curve25519-sha256",
    "curve25519-sha256@libssh.org",
    "ecdh-sha2-nistp256",
    "ecdh-sha2-nistp384",
    "ecdh-sha2-nistp521",
    "diffie-hellman-group18-sha512",
    "diffie-hellman-group16-sha512",
    "diffie-hellman-group14-sha256",
)
RSA = ("rsa-sha2-512", "rsa-sha2-256")
KEYS = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", *RSA)
"""Of machines, of users and of authorities: kinds of key, which for RSA say how it signs."""
CERTIFICATE = "-cert-v01@openssh.com"
CIPHERS = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes128-ctr", "aes192-ctr", "aes256-ctr")
MACS = ("hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "hmac-sha2-256", "hmac-sha2-512")


def restrict(options: paramiko.transport.SecurityOptions) -> None:
    """Offer what is listed here alone, as far as this paramiko has it."""
    options.kex = _shared(KEY_EXCHANGES, options.kex)
    options.ciphers = _shared(CIPHERS, options.ciphers)
    options.digests = _shared(MACS, options.digests)


def _shared(wanted: Iterable[str], known: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in wanted if name in known)
