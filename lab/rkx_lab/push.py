"""Put image archives into a registry, without an engine and without compressing them."""

import json
import tarfile
from hashlib import sha256

import requests

from rkx_lab.archives import Archive, Blob
from rkx_lab.errors import LabError

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG = "application/vnd.docker.container.image.v1+json"
LAYER = "application/vnd.docker.image.rootfs.diff.tar"


def push(registry: str, archive: Archive, reference: str) -> bool:
    """Put an image into the registry under this name; False when it is there already."""
    name, _, tag = reference.rpartition(":")
    base = f"http://{registry}/v2/{name}"
    manifest = manifest_of(archive)
    with requests.Session() as session:
        session.trust_env = False  # a proxy for the world is none for the lab
        head = session.head(f"{base}/manifests/{tag}", headers={"Accept": MANIFEST}, timeout=30)
        if head.headers.get("Docker-Content-Digest") == f"sha256:{sha256(manifest).hexdigest()}":
            return False
        for blob in (archive.config, *archive.layers):
            _push_blob(session, base, archive, blob)
        answer = session.put(f"{base}/manifests/{tag}", data=manifest, headers={"Content-Type": MANIFEST}, timeout=30)
        _expect(answer, 201, f"{name}:{tag}")
    return True


def manifest_of(archive: Archive) -> bytes:
    """Return the manifest of an image (schema 2 of Docker's registry)."""

    def descriptor(kind: str, blob: Blob) -> dict[str, object]:
        return {"mediaType": kind, "size": blob.size, "digest": blob.digest}

    layers = [descriptor(LAYER, layer) for layer in archive.layers]
    config = descriptor(CONFIG, archive.config)
    return json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers}).encode()


def _push_blob(session: requests.Session, base: str, archive: Archive, blob: Blob) -> None:
    if session.head(f"{base}/blobs/{blob.digest}", timeout=30).status_code == 200:
        return
    begun = session.post(f"{base}/blobs/uploads/", timeout=30)
    _expect(begun, 202, base)
    with tarfile.open(archive.path) as tar:
        body = tar.extractfile(blob.member)
        answer = session.put(begun.headers["Location"], params={"digest": blob.digest}, data=body, timeout=600)
    _expect(answer, 201, f"{archive.path.name}: {blob.member}")


def _expect(answer: requests.Response, status: int, what: str) -> None:
    if answer.status_code != status:
        raise LabError(f"the registry did not take {what}: {answer.status_code} {answer.text[:300]}")
