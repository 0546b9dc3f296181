"""The plugin that is tried, called by the door that core uses, and the clusters that it is tried on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType, ModuleType
from typing import Any, get_args

import msgspec
from msgspec.structs import replace

from rkx.config import decode
from rkx.errors import ConfigError, Problem
from rkx.hooks import Plugin
from rkx.model.cluster import Cluster, PluginRef, Stage
from rkx.model.facts import Facts
from rkx.model.network import AuthSettings, NetworkSettings
from rkx.model.resource import CredentialRef, File, Resource
from rkx.registry import Chosen, Plugins, find
from rkx.secret import Secret
from rkx.testing.conformance import samples


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One cluster with what its nodes said of themselves."""

    cluster: Cluster
    facts: Facts


class Subject(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """One plugin with its options; ``address`` is that of a machine for a transport."""

    chosen: Chosen
    address: str = ""

    @property
    def stage(self) -> Stage:
        """Return the plugin's stage."""
        return self.chosen.ref.stage

    @property
    def kind(self) -> type[Plugin[Any]]:
        """Return the plugin's class."""
        return type(self.chosen.plugin)

    @cached_property
    def plugins(self) -> Plugins:
        """Return the registry that holds this plugin alone; PluginFault if it refuses the plugin."""
        return Plugins([self.chosen])

    def again(self) -> Subject:
        """Return another instance of the same plugin, which remembers nothing."""
        plugin = self.kind(self.chosen.plugin.config)
        return Subject(chosen=replace(self.chosen, plugin=plugin), address=self.address)

    def has(self, hook: str) -> bool:
        """Return whether the plugin implements a hook."""
        return hasattr(getattr(self.kind, hook, None), "rkx_impl")

    def problems(self, cluster: Cluster) -> Sequence[Problem]:
        """Ask what is wrong with a cluster."""
        return self.plugins.validate(cluster)

    @cached_property
    def clusters(self) -> tuple[Cluster, ...]:
        """List the sample clusters that the plugin finds nothing wrong with."""
        every = samples.clusters(self.chosen.ref)
        return tuple(each for each in every if all(problem.warning for problem in self.problems(each)))

    def cases(self) -> Iterator[Case]:
        """Return each of these clusters with each kind of facts: all, none of the host yet, of the first node only."""
        for cluster in self.clusters:
            for facts in samples.facts(cluster):
                yield Case(cluster=cluster, facts=facts)

    def network(self, case: Case) -> NetworkSettings:
        """Return what services and addons are told of the network: the plugin's own word, or a usual one."""
        if self.stage == "network":
            return self.plugins.network_settings(case.cluster, case.facts)
        return samples.network(case.cluster)

    def resources(self, case: Case) -> list[Resource]:
        """Have all described that belongs to a cluster; only nodes that answered, as core does."""
        network = self.network(case)
        if self.stage == "network":
            return self.plugins.network_resources(case.cluster, case.facts, network)
        if self.stage == "addon":
            return self.plugins.addon_resources(case.cluster, network)
        answered = [node for node in case.cluster.nodes if node.name in case.facts]
        return [
            resource
            for node in answered
            for resource in self.plugins.service_resources(case.cluster, node, case.facts, AuthSettings(), network)
        ]

    @cached_property
    def described(self) -> tuple[tuple[Case, tuple[Resource, ...]], ...]:
        """Return the resources of every case, asked once; what only looks at them is content with that."""
        return tuple((case, tuple(self.resources(case))) for case in self.cases())


def load(reference: str, options: Mapping[str, Any], address: str = "") -> Subject:
    """Find the installed plugin ``STAGE:NAME`` and decode its options; ConfigError or PluginFault say what is wrong."""
    stage, _, name = reference.partition(":")
    known: tuple[Stage, ...] = get_args(Stage)
    for each in known:
        if each == stage and name:
            kind, owner = find(each, name)
            ref = samples.placed(PluginRef(stage=each, name=name, options=MappingProxyType(dict(options))))
            return Subject(chosen=Chosen(ref=ref, plugin=_made(kind, ref), owner=owner), address=address)
    raise ConfigError(f"{reference!r} is not a valid STAGE:NAME", hint=f"stages: {', '.join(known)}")


def _made(kind: type[Plugin[Any]], ref: PluginRef) -> Plugin[Any]:
    config, problems = decode(kind.Config, ref.options, where="options", document=None)
    if config is None:
        said = "; ".join(f"{problem.where}: {problem.message}" for problem in problems)
        raise ConfigError(f"{ref.stage} plugin {ref.name!r}: {said}", hint="give them by --rkx-options")
    return kind(config)


def given(plugin: Plugin[Any], address: str = "", **options: object) -> Subject:
    """Take an instance, as ``rkx.load`` does; ``options`` are what its config was decoded from."""
    ref = samples.placed(PluginRef(stage=plugin.stage, name=plugin.name, options=MappingProxyType(options)))
    return Subject(chosen=Chosen(ref=ref, plugin=plugin, owner="given by the caller"), address=address)


def holds_secret(file: File) -> bool:
    """Return whether what a file holds must be closed to others."""
    if isinstance(file.content, CredentialRef):
        return file.content.what in ("key", "rendered")
    return isinstance(file.content, Secret)


def concerns(module: ModuleType, subject: Subject) -> bool:
    """Return whether a module's laws are the plugin's."""
    hook = getattr(module, "HOOK", "")
    return subject.stage in module.STAGES and (not hook or subject.has(hook))
