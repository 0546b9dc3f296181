"""The state in memory during a run: threads read one value, changes are applied one at a time and saved together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from msgspec.structs import replace

from rkx.reconcile.digest import keyed
from rkx.reconcile.state import Credential, NodeRecord, ObjectRecord, State
from rkx.reconcile.state_file import StateFile


class StateStore:
    """Hold the state of one run, and the one that it ``began`` with; ``file`` is None for a run that writes nothing.

    Changes are made one at a time; whoever needs his on the disk waits for a save that has it.
    """

    def __init__(self, state: State, file: StateFile | None) -> None:
        self.began = state
        self._state = state
        self._file = file
        self._lock, self._writing = threading.Lock(), threading.Lock()
        self._changes = self._written = 0

    @property
    def state(self) -> State:
        """Return the present value."""
        return self._state

    def change(self, how: Callable[[State], State], *, save: bool = True) -> None:
        """Replace the value by ``how`` of it, and save it unless told that a later save follows."""
        with self._lock:
            self._state = how(self._state)
            self._changes += 1
            mine = self._changes
        if save and self._file is not None:
            self._write(self._file, mine)

    def _write(self, file: StateFile, mine: int) -> None:
        """Return once the change ``mine`` is on the disk; one save serves all that waited for the one before."""
        with self._writing:
            if self._written >= mine:
                return
            with self._lock:
                newest, last = self._state, self._changes
            generation = file.save(newest).generation
            with self._lock:
                self._state = replace(self._state, generation=generation)
            self._written = last

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
        self.change(lambda state: replace(state, objects=_with(state.objects, name, record)), save=False)

    def digests(self, parts: Mapping[str, bytes]) -> dict[str, str]:
        """Digest each part of new credentials."""
        return {name: keyed(self._state.key, content) for name, content in parts.items()}


def _with(objects: Mapping[str, ObjectRecord], name: str, record: ObjectRecord | None) -> dict[str, ObjectRecord]:
    changed = dict(objects)
    changed.pop(name, None)
    return changed if record is None else {**changed, name: record}
