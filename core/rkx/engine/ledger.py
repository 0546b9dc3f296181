"""The state in memory during a run: threads read one value, changes are applied one at a time and saved."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from rkx.engine.digest import file_word, keyed, of_file
from rkx.engine.layout import within
from rkx.engine.state import Credential, NodeRecord, ObjectRecord, State
from rkx.engine.state_file import StateFile
from rkx.errors import RkxError
from rkx.model.resource import Container, File, Part, Resource
from rkx.secret import Secret


class Ledger:
    """Hold the state of one run, and the one that it ``began`` with; ``file`` is None for a run that writes nothing."""

    def __init__(self, state: State, file: StateFile | None) -> None:
        self.began = state
        self._state = state
        self._file = file
        self._lock = threading.Lock()

    @property
    def state(self) -> State:
        """Give the present value."""
        return self._state

    @property
    def key(self) -> bytes:
        """Give the key of this cluster's digests."""
        return self._state.digest_key.reveal()

    def change(self, how: Callable[[State], State], *, save: bool = True) -> None:
        """Replace the value by ``how`` of it, and save it unless told that a later save follows."""
        with self._lock:
            self._state = how(self._state)
            if save and self._file is not None:
                self._state = self._file.save(self._state)

    def save(self) -> None:
        """Write what was changed without saving."""
        self.change(lambda state: state)

    def add_credentials(self, issued: Mapping[str, Credential]) -> None:
        """Keep issued credentials; saved before any of them leaves this computer."""
        self.change(lambda state: replace(state, credentials={**state.credentials, **issued}))

    def note_node(self, name: str, how: Callable[[NodeRecord], NodeRecord], *, save: bool = False) -> None:
        """Change what is known of a node."""
        self.change(lambda state: replace(state, nodes={**state.nodes, name: how(state.nodes[name])}), save=save)

    def note_object(self, name: str, record: ObjectRecord | None) -> None:
        """Keep what was applied of an object, or forget it; saved at the run's end."""
        added = {} if record is None else {name: record}
        self.change(lambda state: replace(state, objects={**_without(state.objects, name), **added}), save=False)

    def part(self, part: Part) -> bytes:
        """Give one part of issued credentials, of several one after the other; KeyError before it is issued."""
        return b"".join(self._state.credentials[name].parts[part.what].reveal() for name in part.identities)

    def content(self, file: File) -> bytes:
        """Give a file's bytes, to write them."""
        if isinstance(file.content, Part):
            try:
                return self.part(file.content)
            except KeyError:
                names = ", ".join(file.content.identities)
                raise RkxError(f"{file.key}: {names} has no part {file.content.what!r}") from None
        return file.content.reveal() if isinstance(file.content, Secret) else file.content

    def word(self, file: File) -> str:
        """Put a file in one word, as ``observe`` does; from a part's saved digest, so without its key."""
        if not isinstance(file.content, Part):
            return file_word(self.key, self.content(file), file)
        return of_file(self._digest(file.content), file.mode, file.uid, file.gid)

    def _digest(self, part: Part) -> str:
        """Give the saved digest of a part; several are certificates, which are no secret, so their digest is made."""
        try:
            if part.beside:
                return keyed(self.key, self.part(part))
            return self._state.credentials[part.identity].digests[part.what]
        except KeyError:
            return "unissued"

    def reads_word(self, container: Container, resources: Iterable[Resource]) -> str:
        """Put the contents of all files whose change restarts a container in one word, as they are wanted."""
        files = [each for each in resources if isinstance(each, File) and reads(container, str(each.path))]
        words = [f"{file.path} {self.word(file)}" for file in files]
        return keyed(self.key, "\n".join(sorted(words)).encode())

    def digests(self, parts: Mapping[str, bytes]) -> dict[str, str]:
        """Digest each part of new credentials."""
        return {name: keyed(self.key, content) for name, content in parts.items()}


def reads(container: Container, path: str) -> bool:
    """Tell if a container must be restarted when that file changes."""
    rules = [read for read in container.reads if within(path, str(read.path))]
    return bool(rules) and max(rules, key=lambda read: len(read.path.parts)).on_change == "restart"


def _without(objects: Mapping[str, ObjectRecord], name: str) -> dict[str, ObjectRecord]:
    return {key: value for key, value in objects.items() if key != name}
