"""The state on the operator's disk: 0600, never half written, with the generations before it."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from msgspec.structs import replace

from rkx.errors import ConfigError, PartlyDone, Problem
from rkx.reconcile.atomic import beside, close_to_others, put
from rkx.reconcile.state import State
from rkx.reconcile.state_json import dump, parse
from rkx.reconcile.texts import Texts

KEPT = 10
"""Generations kept beside the newest."""


def path_beside(cluster_file: Path) -> Path:
    """Return the state's place: cluster.yml -> cluster.rkxstate, in the same folder."""
    return cluster_file.with_suffix(".rkxstate")


class StateFile:
    """The state on the operator's disk."""

    def __init__(self, path: Path) -> None:
        self.path = (
            path.resolve() if path.is_symlink() else path
        )  # a link stays one, with all generations beside its end
        self.warnings: tuple[Problem, ...] = ()
        """What the last ``load`` found that the operator should know."""
        self._shifted = False
        self._texts = Texts()

    def load(self) -> State | None:
        """Read the newest generation; None if there is none, ConfigError if it cannot be read."""
        try:
            with self.path.open("rb") as file:
                mode = close_to_others(file.fileno())  # it holds the authorities' keys, however it was copied here
                text = file.read()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ConfigError(f"{self.path}: cannot be read: {error.strerror}") from error
        self.warnings = (_wide(self.path, mode),) if mode & 0o077 else ()
        return parse(text, str(self.path))

    def save(self, state: State) -> State:
        """Write the next generation atomically, keep the former as NAME.1; PartlyDone if the disk refuses."""
        following = replace(state, generation=state.generation + 1)
        try:
            with beside(self.path, [dump(following, self._texts)]) as new:
                if not self._shifted:  # one generation a run: it saves many times
                    self._shift()
                self._shifted = True
                put(new, self.path)
        except OSError as error:
            raise PartlyDone(
                f"{self.path}: the state cannot be saved: {error.strerror}",
                hint="make room or the folder writable, then run rkx again",
            ) from error
        return following

    def _shift(self) -> None:
        """Copy the present state, as some file systems have no hard links; a full disk takes no generation away."""
        try:
            present = self.path.read_bytes()
        except FileNotFoundError:
            return
        with beside(self._generation(1), [present]) as copy:
            for number in range(KEPT, 1, -1):
                with contextlib.suppress(FileNotFoundError):
                    os.replace(self._generation(number - 1), self._generation(number))
            put(copy, self._generation(1))

    def _generation(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}")

    def delete(self) -> None:
        """Remove the state and all its generations."""
        for number in range(1, KEPT + 1):
            self._generation(number).unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)


def _wide(path: Path, mode: int) -> Problem:
    return Problem(
        where=str(path),
        message=f"the state, which holds the cluster's keys, may be read by others: its mode is {mode:04o}",
        hint="run chmod 600 as its owner; the file system must support file modes",
        warning=True,
    )
