"""An archive holds what Docker and OCI tools look for, its base's layers first, the same bytes each time."""

import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rkx_images.build import Builder
from rkx_images.cache import Cache
from rkx_images.catalogue import Catalogue

Make = Callable[..., Catalogue]

_HIGH = """\
entrypoint = ["/bin/run", "--now"]
user = "1000:1000"
[links]
"/bin/run" = "../etc/high"
"""


def _read(archive: Path, name: str) -> bytes:
    with tarfile.open(archive) as tar:
        file = tar.extractfile(name)
        assert file is not None
        return file.read()


def _json(archive: Path, name: str) -> Any:  # noqa: ANN401 - JSON
    return json.loads(_read(archive, name))


def _built(catalogue: Make, folder: Path) -> Path:
    known = catalogue(folder, high=_HIGH)
    return Builder(known, Cache(folder / "cache")).ensure(known.find("high"))


def test_docker_finds_reference_config_and_layers_by_their_digests(catalogue: Make, tmp_path: Path) -> None:
    archive = _built(catalogue, tmp_path)
    [entry] = _json(archive, "manifest.json")
    config = _json(archive, entry["Config"])
    assert entry["RepoTags"] == ["rkx/high:2"]
    assert config["config"]["Entrypoint"] == ["/bin/run", "--now"]
    assert config["config"]["User"] == "1000:1000"
    digests = [hashlib.sha256(_read(archive, layer)).hexdigest() for layer in entry["Layers"]]
    assert config["rootfs"]["diff_ids"] == [f"sha256:{digest}" for digest in digests]


def test_oci_index_leads_to_the_same_config_and_layers(catalogue: Make, tmp_path: Path) -> None:
    archive = _built(catalogue, tmp_path)
    [entry] = _json(archive, "manifest.json")
    [found] = _json(archive, "index.json")["manifests"]
    manifest = _json(archive, f"blobs/sha256/{found['digest'].removeprefix('sha256:')}")
    paths = [f"blobs/sha256/{part['digest'].removeprefix('sha256:')}" for part in manifest["layers"]]
    assert paths == entry["Layers"]
    assert all(part["size"] == len(_read(archive, path)) for part, path in zip(manifest["layers"], paths, strict=True))


def test_layers_are_the_base_then_the_files_and_links_owned_by_root(catalogue: Make, tmp_path: Path) -> None:
    archive = _built(catalogue, tmp_path)
    low, high = _json(archive, "manifest.json")[0]["Layers"]
    with tarfile.open(fileobj=io.BytesIO(_read(archive, low))) as tar:
        assert tar.getnames() == ["etc", "etc/low"]
    with tarfile.open(fileobj=io.BytesIO(_read(archive, high))) as tar:
        assert tar.getnames() == ["bin", "bin/run", "etc", "etc/high"]
        assert tar.getmember("bin/run").linkname == "../etc/high"
        assert {(m.uid, m.gid, m.mtime) for m in tar} == {(0, 0, 0)}


def test_equal_inputs_give_equal_bytes(catalogue: Make, tmp_path: Path) -> None:
    assert _built(catalogue, tmp_path / "one").read_bytes() == _built(catalogue, tmp_path / "two").read_bytes()
