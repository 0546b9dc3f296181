"""Which machines to sign in on, and how: options and ``~/.ssh/config`` put together."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

import rkx
from rkx_transport_ssh.config import BastionConfig, SshConfig

if TYPE_CHECKING:
    import paramiko

GLOBAL_KNOWN_HOSTS = Path("/etc/ssh/ssh_known_hosts")
USUAL_KEYS = ("id_rsa", "id_ed25519", "id_ecdsa")


class KeyChoice(msgspec.Struct, frozen=True, kw_only=True):
    """Which keys to show: an inline one, files (the first that exists if ``usual``), those of the agent."""

    key: rkx.Secret[str] | None = None
    paths: tuple[Path, ...] = ()
    usual: bool = False
    cert: str = ""
    cert_path: str = ""
    agent: bool = False


class HostKeyPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """What a machine must prove: ``name`` is what known_hosts calls it; new keys are added to the first file.

    ``host`` is the name without a port, which certificates and lines of authorities carry.
    """

    name: str
    host: str
    mode: Literal["strict", "accept-new"]
    files: tuple[Path, ...]
    pinned: str = ""


class Hop(msgspec.Struct, frozen=True, kw_only=True):
    """One machine to sign in on. ``node`` is the name in cluster.yml that it is done for."""

    node: str
    host: str
    port: int
    user: str
    keys: KeyChoice
    host_keys: HostKeyPolicy

    def __str__(self) -> str:
        return f"{self.user}@{self.host}:{self.port}"


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What cluster.yml, or a jump in ``~/.ssh/config``, says of one machine."""

    address: str
    user: str = ""
    port: int = 0
    keys: KeyChoice
    pinned: str = ""


def route(config: SshConfig, address: str, node: str) -> tuple[Hop, ...]:
    """List the machines to sign in on, the node last; a bastion of cluster.yml goes before a ProxyJump."""
    openssh = read_openssh_config()
    keys = _keys(config, agent=config.ssh_agent_auth)
    target = Wish(address=address, user=config.user, port=config.port, keys=keys, pinned=config.host_key)
    if config.bastion:
        before = [_bastion(config.bastion, keys)]
    else:
        before = _jumps(openssh.lookup(address).get("proxyjump", ""), keys)
    return tuple(_hop(wish, config, openssh, node) for wish in [*before, target])


def read_openssh_config() -> paramiko.SSHConfig:
    """Read ``~/.ssh/config``; empty if there is none, ConfigError if it cannot be read."""
    import paramiko  # here: to validate a file, nothing else of it is needed

    path = home() / ".ssh" / "config"
    try:
        return paramiko.SSHConfig.from_path(str(path))
    except FileNotFoundError:
        return paramiko.SSHConfig()
    except (paramiko.ConfigParseError, OSError, UnicodeDecodeError) as error:
        raise rkx.ConfigError(f"{path} cannot be read: {error}") from error


def home() -> Path:
    """Return the operator's home folder."""
    return expanded("~")


def expanded(path: str) -> Path:
    """Return a path as an operator writes it, ``~`` as a home folder; one of an unknown user stays as it is."""
    return Path(os.path.expanduser(path))


def user_of(config_user: str, address: str, openssh: paramiko.SSHConfig) -> str:
    """Return the user to sign in as; empty if neither cluster.yml nor ``~/.ssh/config`` names one."""
    return config_user or openssh.lookup(address).get("user", "")


def _keys(options: SshConfig | BastionConfig, *, agent: bool) -> KeyChoice:
    paths = (expanded(options.ssh_key_path),) if options.ssh_key_path else ()
    return KeyChoice(
        key=options.ssh_key, paths=paths, cert=options.ssh_cert, cert_path=options.ssh_cert_path, agent=agent
    )


def _bastion(options: BastionConfig, node_keys: KeyChoice) -> Wish:
    own = _keys(options, agent=node_keys.agent)
    keys = own if own.key or own.paths else node_keys
    return Wish(address=options.address, user=options.user, port=options.port, keys=keys, pinned=options.host_key)


def _jumps(text: str, keys: KeyChoice) -> list[Wish]:
    if text.lower() in ("", "none"):
        return []
    return [_jump(part.strip(), keys) for part in text.split(",")]


def _jump(text: str, keys: KeyChoice) -> Wish:
    user, _, place = text.removeprefix("ssh://").rpartition("@")
    host, colon, port = place.rpartition(":")
    if not colon or place.endswith("]") or (":" in host.strip("[]") and not host.startswith("[")):
        host, port = place, "0"
    if not port.isdecimal():
        raise rkx.ConfigError(f"~/.ssh/config: ProxyJump {text!r} has the port {port!r}, which is not a number")
    return Wish(address=host.strip("[]"), user=user, port=int(port), keys=keys)


def _hop(wish: Wish, config: SshConfig, openssh: paramiko.SSHConfig, node: str) -> Hop:
    options = openssh.lookup(wish.address)
    user = user_of(wish.user, wish.address, openssh)
    if not user:
        raise rkx.ConfigError(
            f"{node}: no user to sign in as on {wish.address}", hint="give `user` in cluster.yml or in ~/.ssh/config"
        )
    host = options.get("hostname", wish.address)
    port = wish.port or int(options.get("port", 22))
    alias = options.get("hostkeyalias", "")
    name = alias or (host if port == 22 else f"[{host}]:{port}")
    files = _known_hosts(config, options.get("userknownhostsfile", ""))
    policy = HostKeyPolicy(
        name=name.lower(), host=(alias or host).lower(), mode=config.host_keys, files=files, pinned=wish.pinned
    )
    keys = _with_files(wish.keys, options.get("identityfile", []))
    return Hop(node=node, host=host, port=port, user=user, keys=keys, host_keys=policy)


def _known_hosts(config: SshConfig, openssh_files: str) -> tuple[Path, ...]:
    if config.known_hosts:
        return (expanded(config.known_hosts),)
    own = [expanded(name) for name in openssh_files.split()]
    return (*(own or [home() / ".ssh" / "known_hosts"]), GLOBAL_KNOWN_HOSTS)


def _with_files(keys: KeyChoice, identity_files: Sequence[str]) -> KeyChoice:
    """Fill in where keys usually lie, when cluster.yml names none."""
    if keys.key or keys.paths:
        return keys
    paths = [expanded(name) for name in identity_files] or [home() / ".ssh" / name for name in USUAL_KEYS]
    return KeyChoice(paths=tuple(paths), usual=True, cert=keys.cert, cert_path=keys.cert_path, agent=keys.agent)
