"""Arguments for the first start of containers, where a step decides them: how a member joins depends on the moment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from rkx.errors import PluginFault
from rkx.model.action import TakeStep
from rkx.model.key import ContainerKey, Key
from rkx.model.resource import Container
from rkx.model.update import NodeUpdate, action_of


class Bootstrap:
    """What the steps before changes decided in one run, for containers that their updates claim on their nodes."""

    def __init__(self, updates: Iterable[NodeUpdate]) -> None:
        self._claimed: dict[Key, frozenset[ContainerKey]] = {
            action_of(update, step).key: frozenset(update.keys) for update in updates for step in update.pre_steps
        }
        self._decided: dict[ContainerKey, tuple[str, ...]] = {}

    def note(self, action: TakeStep, decided: Mapping[str, tuple[str, ...]]) -> None:
        """Keep what a step decided; PluginFault for a container that its update does not claim."""
        for name, arguments in decided.items():
            key = ContainerKey(action.node, name)
            if key not in self._claimed.get(action.key, ()):
                raise PluginFault(f"{action.owner}: {action.key} gives arguments to {key}, which it is not before")
            self._decided[key] = tuple(arguments)

    def of(self, container: Container) -> Container:
        """Return a container as it is to be created; PluginFault if it describes no arguments that could be others.

        Those of a container without any are compared, and it would be replaced by the next run.
        """
        decided = self._decided.get(container.key)
        if decided is None:
            return container
        if not container.bootstrap_args:
            raise PluginFault(f"{container.owner}: {container.key} has no bootstrap_args that a step may replace")
        return replace(container, bootstrap_args=decided)
