"""The state on the operator's disk: 0600, never half written, with the generations before it."""

from __future__ import annotations

import contextlib
import os
from dataclasses import replace
from pathlib import Path

from rkx.engine.state import State, dump, parse
from rkx.errors import ConfigError, PartlyDone

KEPT = 10
"""Generations kept beside the newest."""


def path_beside(cluster_file: Path) -> Path:
    """Give the state's place: cluster.yml -> cluster.rkxstate, in the same folder."""
    return cluster_file.with_suffix(".rkxstate")


class StateFile:
    """The state on the operator's disk."""

    def __init__(self, path: Path) -> None:
        self.path = (
            path.resolve() if path.is_symlink() else path
        )  # a link stays one, with all generations beside its end
        self._shifted = False

    def load(self) -> State | None:
        """Read the newest generation; None if there is none."""
        try:
            text = self.path.read_bytes()
            self.path.chmod(0o600)  # it holds the authorities' keys, however it was copied here
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ConfigError(f"{self.path}: cannot be read: {error.strerror}") from error
        return parse(text, str(self.path))

    def save(self, state: State) -> State:
        """Write the next generation: beside, synced, renamed; the former one is kept as NAME.1 and so on."""
        following = replace(state, generation=state.generation + 1)
        beside = self.path.with_name(f".{self.path.name}.new")  # one name: the lock lets one run write
        try:
            _write(beside, dump(following))
            if not self._shifted:  # one generation a run: it saves many times
                self._shift()
            self._shifted = True
            beside.rename(self.path)
            _sync(self.path.parent)
        except OSError as error:
            beside.unlink(missing_ok=True)
            raise PartlyDone(
                f"{self.path}: the state cannot be saved: {error.strerror}",
                hint="make room or the folder writable, then run again",
            ) from error
        return following

    def _shift(self) -> None:
        for number in range(KEPT, 1, -1):
            older = self._generation(number - 1)
            if older.exists():
                older.rename(self._generation(number))
        with contextlib.suppress(FileNotFoundError):
            os.link(self.path, self._generation(1))

    def _generation(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}")

    def delete(self) -> None:
        """Remove the state and all its generations."""
        for number in range(1, KEPT + 1):
            self._generation(number).unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)


def _write(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
