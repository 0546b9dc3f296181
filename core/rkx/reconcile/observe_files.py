"""Our files and folders on a node, and its copy of the state, as archives of the Engine show them."""

from __future__ import annotations

import tarfile
from datetime import UTC, datetime
from itertools import islice

from msgspec.structs import replace

from rkx.model.resource import NODE_PROGRAM
from rkx.reconcile import archives
from rkx.reconcile.digest import keyed, of_file
from rkx.reconcile.layout import (
    LOOK,
    LOOK_COPY,
    LOOK_PROGRAM,
    LOOK_READ,
    NAMES,
    STATE_COPY,
    STATE_FOLDER,
    Layout,
    within,
)
from rkx.reconcile.seen import HELD, SeenFile
from rkx.reconcile.sessions import Session
from rkx.reconcile.state_copies import header_in
from rkx.reconcile.state_json import StateHeader

OF_A_DISK = "lost+found"
"""What a fresh file system holds: no one's data."""


def read_files(engine: Session, layout: Layout, digest_key: bytes) -> tuple[dict[str, SeenFile], StateHeader | None]:
    """Read all of our files in one archive; it is left at the entry of rkx-node, whose content is not compared."""
    found, copy = {path: HELD for path in layout.hold}, None
    for entry in archives.entries(engine, NAMES["files"], LOOK):
        name = f"/{entry.info.name}"
        path = name.removeprefix(LOOK_READ)
        if name == STATE_COPY.replace(STATE_FOLDER, LOOK_COPY):
            content = entry.content()
            copy = header_in(content, engine.node) if content is not None else None
        if any(within(path, root) for root in layout.read):
            found[path] = _seen(entry.info, entry.content(), digest_key)
        if name == f"{LOOK_PROGRAM}/{NODE_PROGRAM.rpartition('/')[2]}":
            found[NODE_PROGRAM] = _seen(entry.info, None, digest_key)
            break
    return found, copy


def guarded_folders(engine: Session, layout: Layout, digest_key: bytes) -> dict[str, SeenFile]:
    """Read of each folder its own entry, which comes first, and two more; the stream ends there, whatever it holds."""
    found: dict[str, SeenFile] = {}
    for path in layout.guard:
        infos = [entry.info for entry in islice(archives.entries(engine, NAMES["files"], path), 3)]
        if infos:
            inner = {info.name.rstrip("/").rpartition("/")[2] for info in infos[1:]}
            found[path] = replace(_seen(infos[0], None, digest_key), filled=bool(inner - {OF_A_DISK}))
    return found


def _seen(info: tarfile.TarInfo, content: bytes | None, digest_key: bytes) -> SeenFile:
    kind = "folder" if info.isdir() else "other"
    kind = kind if content is None else keyed(digest_key, content)
    return SeenFile(word=of_file(kind, info.mode, info.uid, info.gid), modified=_modified(info), size=info.size)


def _modified(entry: tarfile.TarInfo) -> datetime:
    """Return the time of an entry; one that no calendar has was never."""
    try:
        return datetime.fromtimestamp(entry.mtime, UTC)
    except (ValueError, OverflowError, OSError):
        return HELD.modified
