"""Make the keys of a lab: two for its user, two for every machine."""

from pathlib import Path

from cryptography.hazmat.primitives import serialization as pem
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

PrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def make_user_keys(folder: Path) -> None:
    """Write id_ed25519 and id_rsa with their public halves, unless they are there."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not (folder / "id_ed25519").exists():
        _write(folder / "id_ed25519", ed25519.Ed25519PrivateKey.generate())
    if not (folder / "id_rsa").exists():
        _write(folder / "id_rsa", rsa.generate_private_key(65537, 3072))


def make_host_keys(folder: Path) -> None:
    """Write a machine's ssh_host_*_key files, unless they are there: a machine made anew keeps its keys."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not (folder / "ssh_host_ed25519_key").exists():
        _write(folder / "ssh_host_ed25519_key", ed25519.Ed25519PrivateKey.generate())
    if not (folder / "ssh_host_ecdsa_key").exists():
        _write(folder / "ssh_host_ecdsa_key", ec.generate_private_key(ec.SECP256R1()))


def authorized_keys(folder: Path) -> bytes:
    """Return what a machine accepts."""
    return b"".join((folder / f"{name}.pub").read_bytes() for name in ("id_ed25519", "id_rsa"))


def known_hosts_lines(public_keys: str, host: str, port: int = 22) -> str:
    """Return known_hosts lines for public keys, one a line, that a machine shows at this address."""
    place = host if port == 22 else f"[{host}]:{port}"
    return "".join(f"{place} {' '.join(line.split()[:2])}\n" for line in public_keys.splitlines() if line.strip())


def _write(path: Path, key: PrivateKey) -> None:
    # RSA in the older form, which is what lies around on computers of RKE's users
    form = pem.PrivateFormat.TraditionalOpenSSL if isinstance(key, rsa.RSAPrivateKey) else pem.PrivateFormat.OpenSSH
    private = key.private_bytes(pem.Encoding.PEM, form, pem.NoEncryption())
    public = key.public_key().public_bytes(pem.Encoding.OpenSSH, pem.PublicFormat.OpenSSH)
    path.with_name(path.name + ".pub").write_bytes(public + b"\n")
    path.touch(mode=0o600)
    path.write_bytes(private)
