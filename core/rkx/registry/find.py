"""Find plugins among what is installed, and import the chosen ones: the code of no other runs."""

from __future__ import annotations

import difflib
import traceback
from collections.abc import Iterable, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Protocol

from rkx.errors import PluginApiMismatch, PluginConflict, PluginFault, PluginNotFound
from rkx.hooks import API_VERSION, Plugin
from rkx.model.cluster import Stage


class Installed(Protocol):
    """All entry points of this Python, read once: ``importlib.metadata.entry_points()``."""

    def select(self, *, group: str) -> Iterable[EntryPoint]:
        """Return those of a group."""


def installed(stage: Stage, every: Installed | None = None) -> dict[str, list[EntryPoint]]:
    """List the providers of a stage by name, without importing any; ``every`` spares reading what is installed."""
    found: dict[str, list[EntryPoint]] = {}
    for point in (entry_points() if every is None else every).select(group=f"rkx.{stage}"):
        found.setdefault(point.name, []).append(point)
    return found


def _owner(point: EntryPoint) -> str:
    return point.dist.name if point.dist else "unknown"


def find(stage: Stage, name: str, every: Installed | None = None) -> tuple[type[Plugin[Any]], str]:
    """Import one provider and return it with its distribution; PluginNotFound for none, PluginConflict for two."""
    points = installed(stage, every)
    if name not in points:
        raise _not_found(stage, name, sorted(points))
    owners = sorted({_owner(point) for point in points[name]})
    if len(owners) > 1:
        raise PluginConflict(
            f"{stage} plugin {name!r} comes from {' and '.join(owners)}", hint="uninstall all of them but one"
        )
    return _checked(stage, name, owners[0], _load(stage, points[name], owners[0])), owners[0]


def _not_found(stage: Stage, name: str, known: Sequence[str]) -> PluginNotFound:
    near = difflib.get_close_matches(name, known, 1)
    meant = f"did you mean {near[0]!r}? " if near else ""
    return PluginNotFound(
        f"no {stage} plugin named {name!r} is installed",
        hint=f"{meant}installed: {', '.join(known) or 'none'}; another one comes with: pip install rkx-{stage}-{name}",
    )


def _load(stage: Stage, points: list[EntryPoint], owner: str) -> object:
    from stevedore.named import NamedExtensionManager

    name = points[0].name

    class _Group(NamedExtensionManager[Any]):
        """The entry points that were found, so that no stale cache hides a new plugin."""

        def list_entry_points(self) -> list[EntryPoint]:
            return points

    def fail(_manager: object, _point: object, error: BaseException) -> None:
        raise PluginFault(
            f"{stage} plugin {name!r} cannot be imported: {error!r}",
            plugin=name,
            owner=owner,
            trace="".join(traceback.format_exception(error)),
            hint=f"reinstall {owner}, or report this to its authors",
        ) from error

    [extension] = _Group(f"rkx.{stage}", [name], on_load_failure_callback=fail)
    return extension.plugin


def _checked(stage: Stage, name: str, owner: str, loaded: object) -> type[Plugin[Any]]:
    if not (isinstance(loaded, type) and issubclass(loaded, Plugin)):
        raise PluginFault(f"{stage} plugin {name!r} is not a class derived from rkx's", plugin=name, owner=owner)
    if loaded.stage != stage or loaded.name != name:
        raise PluginFault(
            f"{stage} plugin {name!r} calls itself {loaded.stage} {loaded.name!r}", plugin=name, owner=owner
        )
    if loaded.api != API_VERSION:
        raise PluginApiMismatch(
            f"{stage} plugin {name!r} speaks version {loaded.api} of the hooks, this rkx version {API_VERSION}",
            hint=f"install a version of {owner} made for it",
        )
    return loaded
