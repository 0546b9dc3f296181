"""What is: containers, files and facts of each node, by GET requests alone."""

from __future__ import annotations

import io
import tarfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from types import MappingProxyType
from typing import Any

import requests

from rkx.engine.digest import canonical, keyed, of_file
from rkx.engine.layout import (
    HELD_MODE,
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
from rkx.engine.link import Link, get
from rkx.engine.node import RELAY_LABEL
from rkx.engine.state import Mark, mark
from rkx.model.facts import HostFacts, Interface, Listener, NodeFacts
from rkx.model.resource import NODE_PROGRAM

PIECE_BYTES = 1 << 14
OF_A_DISK = "lost+found"
"""What a fresh file system holds: nobody's data."""
AT_ONCE = 3
LIMITS = (
    *("Memory", "MemoryReservation", "MemorySwap", "NanoCpus", "CpuShares", "CpuPeriod", "CpuQuota"),
    *("CpuRealtimePeriod", "CpuRealtimeRuntime", "CpusetCpus", "CpusetMems", "BlkioWeight", "PidsLimit"),
)
"""What ``docker update`` sets besides the restart policy: rkx limits nothing, and unset they are 0, empty or null."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenContainer:
    """One container as the Engine shows it. ``cluster`` and ``digest`` are our labels, empty on those of others.

    ``image`` is the name that was asked for, ``image_id`` what it was then.
    """

    id: str
    name: str
    image: str
    state: str
    image_id: str = ""
    cluster: str = ""
    digest: str = ""
    restart_policy: str = ""
    started_at: datetime | None = None
    argv: tuple[str, ...] = ()
    binds: frozenset[str] = frozenset()
    privileged: bool = False
    labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    limited: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenFile:
    """A file or folder in one word (content digest, mode, owner), and when it was last written.

    ``filled`` is told of guarded folders alone: whether others keep something in it.
    """

    word: str
    modified: datetime
    size: int = 0
    filled: bool = False


HELD = SeenFile(word=of_file("folder", HELD_MODE, 0, 0), modified=datetime.fromtimestamp(0, UTC))
"""A folder that rkx-node made and that is not looked at again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenNode:
    """All that was seen of one node. ``layout`` is None where rkx-node was never installed.

    ``images`` maps names to ids: tags, and digests under which images were pulled.
    """

    facts: NodeFacts
    containers: Mapping[str, SeenContainer]
    files: Mapping[str, SeenFile] = field(default_factory=lambda: MappingProxyType({}))
    layout: Layout | None = None
    images: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    copy: Mark | None = None

    def ours(self, cluster_id: str) -> dict[str, SeenContainer]:
        """Give this cluster's own containers by name."""
        return {name: seen for name, seen in self.containers.items() if seen.cluster == cluster_id}


def observe(link: Link, digest_key: bytes) -> SeenNode:
    """Look at a node: its Engine, its containers, and the files below our folders."""
    with link.http() as engine, ThreadPoolExecutor(AT_ONCE, thread_name_prefix=link.name) as pool:
        facts = pool.submit(_facts, link, engine)
        listed = _listed(engine)
        layout = _layout(listed)
        looked = pool.submit(_looked_at, engine, layout, digest_key) if layout else None
        guarded = pool.submit(_guarded, engine, layout, digest_key) if layout else None
        containers = {name: _inspected(engine, seen) for name, seen in listed.items()}
        images = _images(engine)
        files, copy = looked.result() if looked else ({}, None)
        return SeenNode(
            facts=facts.result(),
            containers=containers,
            files={**files, **(guarded.result() if guarded else {})},
            layout=layout,
            images=images,
            copy=copy,
        )


def _facts(link: Link, engine: requests.Session) -> NodeFacts:
    asked = time.time()
    info = get(engine, "/info")
    answered = time.time()
    now = datetime.fromisoformat(info["SystemTime"]).timestamp() if info.get("SystemTime") else asked
    return NodeFacts(
        engine_id=info["ID"],
        engine_version=info["ServerVersion"],
        api_version=link.api_version(),
        root_dir=info["DockerRootDir"],
        logging_driver=info["LoggingDriver"],
        cgroup_driver=info["CgroupDriver"],
        cgroup_version=int(info.get("CgroupVersion", "1")),
        security_options=tuple(info.get("SecurityOptions") or ()),
        kernel=info["KernelVersion"],
        architecture=info["Architecture"],
        os_name=info["OperatingSystem"],
        hostname=info["Name"],
        cpus=info["NCPU"],
        memory_bytes=info["MemTotal"],
        clock_offset_s=now - (asked + answered) / 2,
        clock_error_s=(answered - asked) / 2,
    )


def _images(engine: requests.Session) -> dict[str, str]:
    rows = get(engine, "/images/json")
    return {n: row["Id"] for row in rows for kind in ("RepoTags", "RepoDigests") for n in row.get(kind) or ()}


def _listed(engine: requests.Session) -> dict[str, SeenContainer]:
    found = {}
    for row in get(engine, "/containers/json", all="1"):
        name = row["Names"][0].lstrip("/") if row.get("Names") else row["Id"]
        labels = row.get("Labels") or {}
        if RELAY_LABEL in labels and row["State"] != "created":
            continue  # lives as long as a stream of some run; one that never began is a leftover
        found[name] = SeenContainer(
            id=row["Id"],
            name=name,
            image=row["Image"],
            state=row["State"],
            labels=labels,
            cluster=labels.get("rkx.cluster", ""),
            digest=labels.get("rkx.digest", ""),
        )
    return found


def _inspected(engine: requests.Session, seen: SeenContainer) -> SeenContainer:
    if not seen.cluster or seen.name in NAMES.values():
        return seen
    whole = get(engine, f"/containers/{seen.id}/json")
    if whole is None:
        return replace(seen, state="gone")
    host = whole["HostConfig"]
    started = whole["State"].get("StartedAt", "")
    return replace(
        seen,
        image=whole["Config"]["Image"],  # as it was asked for; the list shows an id once the tag has moved
        image_id=whole["Image"],
        state=whole["State"]["Status"],
        restart_policy=host["RestartPolicy"]["Name"],
        argv=(*(whole["Config"]["Entrypoint"] or ()), *(whole["Config"]["Cmd"] or ())),
        started_at=datetime.fromisoformat(started) if started and not started.startswith("0001") else None,
        binds=frozenset(host["Binds"] or ()),
        privileged=host["Privileged"],
        limited=any(host.get(name) for name in LIMITS),
    )


def _layout(containers: Mapping[str, SeenContainer]) -> Layout | None:
    program = containers.get(NAMES["files"])
    return Layout.of_labels(program.labels) if program is not None and program.cluster else None


def _looked_at(engine: requests.Session, layout: Layout, digest_key: bytes) -> tuple[dict[str, SeenFile], Mark | None]:
    """Read all of our files in one archive; it is left at the entry of rkx-node, whose content is not compared."""
    found, copy = {path: HELD for path in layout.hold}, None
    for archive, entry in _archive(engine, LOOK):
        name = f"/{entry.name}"
        path = name.removeprefix(LOOK_READ)
        if name == STATE_COPY.replace(STATE_FOLDER, LOOK_COPY):
            opened = archive.extractfile(entry)
            copy = mark(opened.read()) if opened else None
        if any(within(path, root) for root in layout.read):
            found[path] = _seen(archive, entry, digest_key)
        if name == f"{LOOK_PROGRAM}/{NODE_PROGRAM.rpartition('/')[2]}":
            found[NODE_PROGRAM] = _seen(None, entry, digest_key)
            break
    return found, copy


def _guarded(engine: requests.Session, layout: Layout, digest_key: bytes) -> dict[str, SeenFile]:
    """Read of each folder its own entry, which comes first, and two more; the stream ends there, whatever it holds."""
    found: dict[str, SeenFile] = {}
    for path in layout.guard:
        entries = [entry for _, entry in islice(_archive(engine, path), 3)]
        if entries:
            inner = {entry.name.rstrip("/").rpartition("/")[2] for entry in entries[1:]}
            found[path] = replace(_seen(None, entries[0], digest_key), filled=bool(inner - {OF_A_DISK}))
    return found


def _archive(engine: requests.Session, path: str) -> Iterator[tuple[tarfile.TarFile, tarfile.TarInfo]]:
    """Read a path through the stopped container's binds, entry by entry; nothing where there is no such path."""
    address = f"http://node/containers/{NAMES['files']}/archive"
    with engine.get(address, params={"path": path}, stream=True) as answer:
        if answer.status_code == requests.codes.not_found:
            return
        if not answer.ok:
            _ = answer.content  # what the Engine says: it cannot be read once the stream is given back
        answer.raise_for_status()
        with tarfile.open(fileobj=io.BufferedReader(_Pieces(answer.iter_content(PIECE_BYTES))), mode="r|") as archive:
            for entry in archive:
                yield archive, entry


def _seen(archive: tarfile.TarFile | None, entry: tarfile.TarInfo, digest_key: bytes) -> SeenFile:
    opened = archive.extractfile(entry) if archive and entry.isfile() else None
    kind = keyed(digest_key, opened.read()) if opened else "folder" if entry.isdir() else "other"
    word = of_file(kind, entry.mode, entry.uid, entry.gid)
    return SeenFile(word=word, modified=datetime.fromtimestamp(entry.mtime, UTC), size=entry.size)


class _Pieces(io.RawIOBase):
    """Give an iterator of bytes the form of a file."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - a writable buffer, which typing names from 3.12 on
        self._rest = self._rest or next(self._pieces, b"")
        taken = min(len(buffer), len(self._rest))
        buffer[:taken], self._rest = self._rest[:taken], self._rest[taken:]
        return taken


def plain_host(host: HostFacts) -> dict[str, Any]:
    """Give what rkx-node said in the form that the state keeps."""
    plain: dict[str, Any] = canonical(host)
    return plain


def host_from_plain(plain: Mapping[str, Any]) -> HostFacts | None:
    """Read ``plain_host`` back; None where nothing was kept."""
    if not plain:
        return None
    interfaces = tuple(Interface(**{**each, "addresses": tuple(each["addresses"])}) for each in plain["interfaces"])
    listening = tuple(Listener(**each) for each in plain["listening"])
    return HostFacts(**{**plain, "interfaces": interfaces, "listening": listening})
