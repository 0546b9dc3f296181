import io
import json
import tarfile
from hashlib import sha256
from pathlib import Path

from rkx_lab import archives, push


def write_archive(path: Path, layers: dict[str, bytes]) -> bytes:
    diffs = [f"sha256:{sha256(content).hexdigest()}" for content in layers.values()]
    config = json.dumps({"rootfs": {"type": "layers", "diff_ids": diffs}}).encode()
    manifest = json.dumps([{"Config": "config.json", "RepoTags": ["rkx/x:1"], "Layers": list(layers)}]).encode()
    with tarfile.open(path, "w") as tar:
        for name, content in {**layers, "config.json": config, "manifest.json": manifest}.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return config


def test_an_archive_tells_its_image_id_and_layers(tmp_path: Path) -> None:
    config = write_archive(tmp_path / "x.tar", {"a/layer.tar": b"first", "b/layer.tar": b"second"})
    archive = archives.read(tmp_path / "x.tar")
    assert archive.reference == "rkx/x:1"
    assert archive.id == f"sha256:{sha256(config).hexdigest()}"
    assert [(layer.member, layer.size) for layer in archive.layers] == [("a/layer.tar", 5), ("b/layer.tar", 6)]


def test_the_manifest_names_every_blob_in_order(tmp_path: Path) -> None:
    write_archive(tmp_path / "x.tar", {"a/layer.tar": b"first", "b/layer.tar": b"second"})
    archive = archives.read(tmp_path / "x.tar")
    manifest = json.loads(push.manifest_of(archive))
    assert manifest["config"]["digest"] == archive.id
    assert [layer["digest"] for layer in manifest["layers"]] == [layer.digest for layer in archive.layers]
