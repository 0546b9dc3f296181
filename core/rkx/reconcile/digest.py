"""Digests of what is wanted and of what is there, keyed so that a small secret cannot be guessed from one."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import Any

import msgspec

from rkx.model.manifest import Object
from rkx.model.resource import Container, File, Folder, Resource
from rkx.secret import Secret

UNCOUNTED = frozenset(
    {
        "bootstrap_args",
        "after",
        "reaches",
        "probe",
        "owner",
        "reads",
        "images",
        "stop_timeout_s",
        "where",
        "manifest",
        "grants",
    }
)
"""Fields whose change neither replaces a container nor applies an object again."""


def keyed(key: bytes, content: bytes) -> str:
    """Return the HMAC-SHA256 of content, in 32 hexadecimal digits."""
    return hmac.digest(key, content, "sha256").hex()[:32]


def canonical(value: object) -> Any:  # noqa: ANN401 - JSON
    """Return a value in the one form that digests are made of."""
    if isinstance(value, Mapping):
        return {str(key): canonical(value[key]) for key in sorted(value)}
    if isinstance(value, tuple | list):
        return [canonical(item) for item in value]
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Secret):
        return canonical(value.reveal())
    if isinstance(value, msgspec.Struct):
        return {name: canonical(getattr(value, name)) for name in value.__struct_fields__}
    return value


def of_container(key: bytes, container: Container) -> str:
    """Digest what a container is made of; ``bootstrap_args`` and what orders it stay out."""
    return _of_fields(key, container)


def of_object(key: bytes, wanted: Object) -> str:
    """Digest an object as it is wanted."""
    return _of_fields(key, wanted)


def _of_fields(key: bytes, resource: Container | Object) -> str:
    said = {n: canonical(getattr(resource, n)) for n in resource.__struct_fields__ if n not in UNCOUNTED}
    return keyed(key, json.dumps(said, sort_keys=True).encode())


def of_all(key: bytes, wanted: Iterable[Resource | Object]) -> str:
    """Digest all that resources say, so that a plan of them can be told from one of others."""
    return keyed(key, json.dumps([canonical(each) for each in wanted], sort_keys=True).encode())


def of_file(content_digest: str, mode: int, uid: int, gid: int) -> str:
    """Put a file's content, mode and owner in one word, as observed or as wanted."""
    return f"{content_digest} {mode & 0o7777:04o} {uid}:{gid}"


def of_folder(folder: Folder) -> str:
    """Put a folder's mode and owner in one word."""
    return of_file("folder", folder.mode, folder.uid, folder.gid)


def file_word(key: bytes, content: bytes, file: File) -> str:
    """Put a file with known content in one word."""
    return of_file(keyed(key, content), file.mode, file.uid, file.gid)
