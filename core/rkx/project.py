"""One cluster.yml with the plugins that it chose: what ``load`` reads and everything else starts from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext, suppress
from functools import cached_property
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from rkx.config import Document, Loaded, decode, risks, subjects
from rkx.config import load as read_file
from rkx.errors import ConfigError, PluginFault, Problem
from rkx.hooks import Plugin
from rkx.model.cluster import Cluster, PluginRef
from rkx.model.node import Node
from rkx.registry import Chosen, Installed, Plugins, find
from rkx.transport import Prompt, Transport

Given = dict[tuple[str, str], Plugin[Any]]


class Project(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """One cluster.yml, decoded, with the plugins that it chose."""

    path: Path
    cluster: Cluster
    plugins: Plugins
    transports: dict[str, Chosen]
    given: Given = msgspec.field(default_factory=dict)
    warnings: tuple[Problem, ...] = ()

    def open_transport(self, node: Node, prompt: Prompt | None) -> Transport:
        """Connect to a node by the transport that it names; one that left the file is known from the state."""
        chosen = self.transports.get(node.name) or self._former(node)
        return self._openers.open_transport(chosen, node, prompt)

    @cached_property
    def _openers(self) -> Plugins:
        return Plugins(())

    def _former(self, node: Node) -> Chosen:
        choice = _Choice(self.given, None, entry_points())
        chosen = choice.of(_transport(node))
        if chosen is None:
            raise ConfigError(f"{node.name}: its transport cannot be used", problems=choice.problems)
        return chosen


def load(
    path: str | Path,
    *,
    mode: Literal["strict", "warn"] = "strict",
    plugins: Sequence[Plugin[Any]] = (),
    fetch: bool = True,
    secrets: bool = True,
) -> Project:
    """Read cluster.yml and choose its plugins; ConfigError holds every mistake at once.

    Without ``fetch`` manifests that the file names by http(s) are left out: only for what applies no plan. Without
    ``secrets`` those that it points at stay unread, and no command of its runs: only for what connects to no node.
    ``plugins`` are instances that take the place of installed ones of their stage and name.
    """
    loaded = read_file(Path(path), mode=mode, fetch=fetch, secrets=secrets)
    given: Given = {(plugin.stage, plugin.name): plugin for plugin in plugins}
    choice = _Choice(given, loaded.document, entry_points(), secrets=secrets)
    problems = choice.problems
    chosen = [choice.of(ref) for ref in _refs(loaded.cluster)]
    transports = {node.name: choice.of(_transport(node)) for node in loaded.cluster.nodes}
    _raise(problems, path)
    every = Plugins([each for each in (*chosen, *_distinct(transports)) if each is not None])
    problems += [loaded.document.place(problem) for problem in _judged(loaded, every)]
    problems += _unasked(loaded, every)
    _raise([problem for problem in problems if not problem.warning], path)
    warnings = (*loaded.warnings, *(problem for problem in problems if problem.warning))
    return Project(
        path=Path(path),
        cluster=replace(loaded.cluster, risks=risks.risks(problems)),
        plugins=every,
        transports={name: each for name, each in transports.items() if each is not None},
        given=given,
        warnings=tuple(sorted(warnings, key=lambda problem: (problem.line, problem.column))),
    )


def _judged(loaded: Loaded, plugins: Plugins) -> Iterator[Problem]:
    """Ask the plugins what is wrong, and judge their risks and the names in their certificates."""
    found, known = plugins.validate(loaded.cluster), plugins.risks()
    yield from risks.judge(found, [name for name in loaded.accept_risk if name in known])
    yield from risks.idle(loaded.accept_risk, found, known)
    wrong = any(not problem.warning for problem in found)
    with suppress(PluginFault) if wrong else nullcontext():  # values that were refused may be too much for a plugin
        yield from subjects.too_long(plugins.identities(loaded.cluster), loaded.cluster, loaded.document)


def _unasked(loaded: Loaded, plugins: Plugins) -> Iterator[Problem]:
    """Warn of images that no chosen plugin asks for."""
    for name in loaded.cluster.images.keys() - plugins.images():
        where = f"system_images.{name}"
        line, column = loaded.document.key_mark(where)
        message = "no effect: no plugin in use asks for this image"
        problem = Problem(where=where, message=message, hint="take it out", warning=True, line=line, column=column)
        yield loaded.document.place(problem)


def _refs(cluster: Cluster) -> list[PluginRef]:
    return [*cluster.auth, cluster.network, *cluster.services, *cluster.addons, *cluster.extensions]


def _raise(problems: Sequence[Problem], path: str | Path) -> None:
    errors = sorted((p for p in problems if not p.warning), key=lambda problem: (problem.line, problem.column))
    if errors:
        count = "1 mistake" if len(errors) == 1 else f"{len(errors)} mistakes"
        raise ConfigError(f"{path}: {count}", problems=errors)


class _Choice(msgspec.Struct, frozen=True):
    """Finds plugins by what cluster.yml says of them, and gathers what is wrong there."""

    given: Given
    document: Document | None
    installed: Installed
    problems: list[Problem] = msgspec.field(default_factory=list)
    secrets: bool = True

    def of(self, ref: PluginRef) -> Chosen | None:
        """Return the plugin, decoded; None beside a problem."""
        if plugin := self.given.get((ref.stage, ref.name)):
            return Chosen(ref=ref, plugin=plugin, owner="given by the caller")
        try:
            kind, owner = find(ref.stage, ref.name, self.installed)
        except ConfigError as error:
            found = Problem(where=ref.where, message=error.message, hint=error.hint)
            self.problems.append(self.document.place(found) if self.document else found)
            return None
        config, problems = decode(
            kind.Config, ref.options, where=ref.where, document=self.document, secrets=self.secrets
        )
        self.problems.extend(problem for problem in problems if problem not in self.problems)
        return Chosen(ref=ref, plugin=kind(config), owner=owner) if config is not None else None


def _transport(node: Node) -> PluginRef:
    return PluginRef(stage="transport", name=node.transport, options=node.transport_options, where=node.where)


def _distinct(transports: Mapping[str, Chosen | None]) -> list[Chosen]:
    return list({id(type(each.plugin)): each for each in transports.values() if each is not None}.values())
