"""A machine's files in memory, and rkx-node's verbs over them."""

from __future__ import annotations

import base64
import io
import json
import tarfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

import msgspec

Effect = Callable[[str, Callable[[], None]], None]
"""Does one thing that outlives the program that asked for it; the label says what."""
FENCE = "/var/lib/rkx/fence"
"""Where rkx-node keeps the highest number of a run that it has seen, and of which cluster."""
READING = ("facts", "digest")
LISTENING: tuple[Mapping[str, Any], ...] = ({"proto": "tcp", "port": 22, "address": "192.0.2.1"},)

SYSCTLS: Mapping[str, str] = {
    "kernel.keys.root_maxbytes": "25000000",
    "kernel.keys.root_maxkeys": "1000000",
    "kernel.panic": "0",
    "kernel.panic_on_oops": "0",
    "vm.overcommit_memory": "0",
    "vm.panic_on_oom": "0",
}
"""As Linux has them unless told otherwise."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A file, or a folder where ``content`` is None."""

    content: bytes | None = None
    mode: int = 0o755
    uid: int = 0
    gid: int = 0
    modified_s: float = msgspec.field(default_factory=time.time)


def archive(files: Mapping[str, Entry], path: str) -> bytes:
    """Pack a path as the Engine's archive does: names begin with its last part."""
    packed, parent = io.BytesIO(), path.rpartition("/")[0]
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for each in sorted(name for name in files if name == path or name.startswith(f"{path}/")):
            entry = files[each]
            info = tarfile.TarInfo(each[len(parent) + 1 :])
            info.type = tarfile.DIRTYPE if entry.content is None else tarfile.REGTYPE
            info.mode, info.uid, info.gid, info.mtime = entry.mode, entry.uid, entry.gid, int(entry.modified_s)
            info.size = len(entry.content or b"")
            tar.addfile(info, io.BytesIO(entry.content or b""))
    return packed.getvalue()


def unpacked(content: bytes) -> dict[str, Entry]:
    """Read an archive's files by their names there."""
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        found = {info: tar.extractfile(info) for info in tar if info.isfile()}
        return {
            info.name: Entry(content=file.read() if file else b"", mode=info.mode, uid=info.uid, gid=info.gid)
            for info, file in found.items()
        }


class Machine:
    """The files of one machine by path, and its own ``id``; each write is an effect."""

    def __init__(self, name: str, effect: Effect) -> None:
        self.name, self.id = name, f"machine-{name}"
        self.files: dict[str, Entry] = {}
        self.listening = list(LISTENING)
        self.sysctls = dict(SYSCTLS)
        self.program = b""
        """What the image of rkx-node holds."""
        self._effect = effect
        self._working = threading.Lock()

    def below(self, path: str) -> list[str]:
        """List a path and all under it."""
        return sorted(each for each in self.files if each == path or each.startswith(f"{path}/"))

    def make_folder(self, path: str) -> None:
        """Make a folder and its parents as Docker and rkx-node do, 0755; one that exists stays as it is."""
        parent = path.rpartition("/")[0]
        if path and path not in self.files:
            self.make_folder(parent)
            self.files[path] = Entry()

    def shown(self, binds: Iterable[tuple[str, str]]) -> dict[str, Entry]:
        """Show what a container with such binds (outside, inside) sees, and the folders above it."""
        seen = {
            f"{inside}{each[len(outside) :]}": self.files[each]
            for outside, inside in binds
            for each in self.below(outside)
        }
        above = {str(parent) for path in seen for parent in PurePosixPath(path).parents}
        return {path: Entry() for path in above} | seen

    def perform(self, lines: list[bytes]) -> Iterator[bytes]:
        """Do a batch, one at a time: one answer for its beginning, one per operation, and one for its end.

        One without a beginning, or with two, is not done; nor is one of a run that a later one has followed.
        """
        head, *operations = [json.loads(line) for line in lines[:-1]] or [{}]
        if [each.get("verb") for each in (head, *operations)].count("begin") != 1 or head["verb"] != "begin":
            return
        with self._working:
            yield from self._admitted(head, operations)

    def _admitted(self, head: Mapping[str, Any], operations: list[dict[str, Any]]) -> Iterator[bytes]:
        seen = self._seen_number(head["cluster"])
        if head["number"] < seen:
            why = f"EPERM: the run's number {head['number']} is lower than {seen}"
            yield _line(verb="begin", batch=head["batch"], ok=False, seen=seen, error=why)
            return
        yield _line(verb="begin", batch=head["batch"], ok=True)
        if any(each["verb"] not in READING for each in operations) and head["number"] > seen:
            self._remember(head["cluster"], head["number"])
        for operation in operations:
            yield _line(ok=True, **getattr(self, f"_{operation['verb']}")(operation))
        yield _line(verb="end", ok=True)

    def _seen_number(self, cluster: str) -> int:
        entry = self.files.get(FENCE)
        found = json.loads(entry.content or b"{}") if entry else {}
        return int(found["number"]) if found.get("cluster") == cluster else -1

    def _remember(self, cluster: str, number: int) -> None:
        content = json.dumps({"cluster": cluster, "number": number}).encode()
        fence = {"path": FENCE, "mode": "0600", "uid": 0, "gid": 0}
        self._effect(f"{self.name} fence", lambda: self._set(fence, content))

    def _put(self, operation: Mapping[str, Any]) -> dict[str, Any]:
        content = self.program if operation.get("self") else base64.b64decode(operation["content"])
        self._effect(f"{self.name} put {operation['path']}", lambda: self._set(operation, content))
        return {"changed": True}

    def _folder(self, operation: Mapping[str, Any]) -> dict[str, Any]:
        self._effect(f"{self.name} folder {operation['path']}", lambda: self._set(operation, None))
        return {"changed": True}

    def _set(self, operation: Mapping[str, Any], content: bytes | None) -> None:
        self.make_folder(operation["path"].rpartition("/")[0])
        self.files[operation["path"]] = Entry(
            content=content, mode=int(operation["mode"], 8), uid=operation["uid"], gid=operation["gid"]
        )

    def _delete(self, operation: Mapping[str, Any]) -> dict[str, Any]:
        self._effect(f"{self.name} delete {operation['path']}", lambda: self._drop(self.below(operation["path"])))
        return {"changed": True}

    def _clean(self, operation: Mapping[str, Any]) -> dict[str, Any]:
        for path in operation.get("paths", ()):
            self._delete({"path": path})
        for path in operation.get("contents", ()):
            self._effect(f"{self.name} empty {path}", lambda path=path: self._drop(self.below(path)[1:]))  # type: ignore[misc] # bound now
        for former in operation.get("folders", ()):
            self._folder(former)
        return {"paths": operation.get("paths", ())}

    def _unmount(self, _operation: Mapping[str, Any]) -> dict[str, Any]:
        return {"changed": False, "unmounted": []}

    def _drop(self, paths: list[str]) -> None:
        for path in paths:
            self.files.pop(path, None)

    def _former(self, path: str) -> dict[str, Any]:
        entry = self.files.get(path)
        found: dict[str, Any] = {"path": path, "there": entry is not None, "empty": len(self.below(path)) < 2}
        rights = {"mode": f"{entry.mode:04o}", "uid": entry.uid, "gid": entry.gid} if entry else {}
        return found | rights

    def _facts(self, operation: Mapping[str, Any]) -> dict[str, Any]:
        free = [self._former(path) for path in operation.get("paths", ())]
        return {
            "facts": {
                "boot_id": f"boot-of-{self.name}",
                "machine_id": self.id,
                "interfaces": [{"name": "eth0", "mtu": 1500, "addresses": ["192.0.2.1/24"], "up": True}],
                "default_route": {"interface": "eth0"},
                "resolv_conf": "nameserver 198.51.100.53\n",
                "listening": self.listening,
                "swap": False,
                "sysctls": self.sysctls,
                "free": free,
            }
        }


def _line(**answer: Any) -> bytes:  # noqa: ANN401 - JSON
    return json.dumps(answer).encode() + b"\n"
