"""What was built is named by digest, under the keys that the plugins ask for."""

import hashlib
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from rkx_addon_coredns import CoreDns
from rkx_addon_metrics_server import MetricsServer
from rkx_images import cli, pins
from rkx_images.build import Builder
from rkx_images.cache import Cache
from rkx_images.catalogue import Catalogue, load
from rkx_network_flannel import FlannelNetwork
from rkx_service_kubernetes import KubernetesService

ROOT = Path(__file__).parents[2] / "images"


def manifest(archive: Path) -> bytes:
    """Return the one blob of an archive that names its layers."""
    with tarfile.open(archive) as tar:
        found = [tar.extractfile(member) for member in tar if member.name.startswith("blobs/") and member.size < 4096]
        texts = [file.read() for file in found if file]
    return next(text for text in texts if b'"layers":' in text)


def test_an_image_is_named_by_the_digest_of_its_manifest(
    catalogue: Callable[..., Catalogue], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = catalogue(tmp_path)
    path = Builder(known, Cache(tmp_path / "cache")).ensure(known.find("high"))
    monkeypatch.setattr(pins, "KEYS", {"high": ("one", "two")})
    said = list(pins.lines("r:5000", [(known.find("high"), path)]))
    pinned = f"r:5000/rkx/high:2@sha256:{hashlib.sha256(manifest(path)).hexdigest()}"
    assert said == ["system_images:", f"  one: {pinned}", f"  two: {pinned}"]
    assert json.loads(manifest(path))["schemaVersion"] == 2


def test_the_keys_are_those_that_the_built_in_plugins_ask_for() -> None:
    asked = KubernetesService.images | FlannelNetwork.images | CoreDns.images | MetricsServer.images
    assert sorted(key for keys in pins.KEYS.values() for key in keys) == sorted(asked)
    assert pins.KEYS.keys() <= load(ROOT).images.keys()


def test_what_is_not_built_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RKX_CACHE", str(tmp_path))
    assert cli.main(["pins", "r:5000", "etcd", "pause"]) == 1
    assert capsys.readouterr().err == "error: not built: etcd, pause\nhint: rkx_images build etcd pause\n"
