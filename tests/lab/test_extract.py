"""Taking a program out of an image's archive."""

import io
import json
import tarfile
from pathlib import Path

import pytest

from rkx_lab import archives
from rkx_lab.errors import LabError
from rkx_lab.extract import extract


def _layer(*, files: dict[str, bytes], links: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(f"./{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        for name, target in links.items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, target
            tar.addfile(member)
    return buffer.getvalue()


def _archive(path: Path, layers: list[bytes]) -> archives.Archive:
    members = {f"layer-{number}": layer for number, layer in enumerate(layers)}
    manifest = [{"Config": "config", "Layers": list(members), "RepoTags": ["rkx/sample:1"]}]
    config = {"rootfs": {"diff_ids": [f"sha256:{name}" for name in members]}}
    contents = {"manifest.json": json.dumps(manifest).encode(), "config": json.dumps(config).encode(), **members}
    with tarfile.open(path, "w") as tar:
        for name, content in contents.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return archives.read(path)


def test_extract_when_a_link_leads_to_the_program_then_writes_what_the_upper_layer_holds(tmp_path: Path) -> None:
    lower = _layer(files={"usr/bin/all": b"old"}, links={"usr/bin/one": "all"})
    upper = _layer(files={"usr/bin/all": b"new"}, links={"usr/bin/one": "../bin/all"})
    extract(_archive(tmp_path / "image.tar", [lower, upper]), "usr/bin/one", tmp_path / "one")
    assert (tmp_path / "one").read_bytes() == b"new"
    assert (tmp_path / "one").stat().st_mode & 0o111


def test_extract_when_no_layer_has_it_then_names_the_image_and_the_file(tmp_path: Path) -> None:
    archive = _archive(tmp_path / "image.tar", [_layer(files={"a": b""}, links={})])
    with pytest.raises(LabError, match="rkx/sample:1 holds no usr/bin/one"):
        extract(archive, "usr/bin/one", tmp_path / "one")
