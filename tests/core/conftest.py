"""Distributions made for a test, and a folder for a cluster file with the key that it names."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

SOURCE = """
import rkx
from rkx.testing.world import NoOptions
class Made(rkx.AddonPlugin[NoOptions]):
    name = {name!r}
    api = {api}
    Config = NoOptions
    @rkx.hookimpl
    def rkx_addon_resources(self, cluster, network):
        return []
"""
Install = Callable[..., str]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return the path of a cluster file beside a private key called ``id``."""
    key = tmp_path / "id"
    encoding = (serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption())
    key.write_bytes(ed25519.Ed25519PrivateKey.generate().private_bytes(*encoding))
    key.chmod(0o600)
    return tmp_path / "cluster.yml"


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install a throw-away distribution with one addon, and give its module's name."""
    monkeypatch.syspath_prepend(tmp_path)

    def put(distribution: str, name: str, *, api: int = 0, source: str = "") -> str:
        module = f"made_{distribution.replace('-', '_')}"
        (tmp_path / f"{module}.py").write_text(source or SOURCE.format(name=name, api=api))
        info = tmp_path / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[rkx.addon]\n{name} = {module}:Made\n")
        return module

    yield put
    for module in [each for each in sys.modules if each.startswith("made_")]:
        del sys.modules[module]
