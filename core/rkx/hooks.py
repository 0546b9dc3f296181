"""The specifications of all hooks, and one typed base class per stage.

Each hook is asked of one plugin at a time, on one worker thread, with a deadline. Arguments go by keyword; an
implementation may leave some out. What a hook returns is checked and stamped with its owner by the registry.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar, Final, Generic, TypeVar

import pluggy

from rkx.errors import Problem
from rkx.model.action import ContainerAction
from rkx.model.checks import Check
from rkx.model.cluster import Cluster, Stage
from rkx.model.facts import Facts
from rkx.model.identity import CredentialInfo, Identity, Issued, IssueRequest, Pending, Renewal
from rkx.model.key import ContainerKey
from rkx.model.network import AuthSettings, NetworkSettings
from rkx.model.node import Node
from rkx.model.resource import Resource
from rkx.model.step import NodeRequest, Responses, Results, Step, Verdict
from rkx.model.update import NodeUpdate, RolloutGroup
from rkx.transport import Prompt, Transport

API_VERSION: Final = 0
"""Promises nothing until strangers' plugins have run; then 1."""

hookspec = pluggy.HookspecMarker("rkx")
hookimpl = pluggy.HookimplMarker("rkx")

C = TypeVar("C")


class Specifications:
    """Every hook with its arguments; ``asked`` in each docstring says of whom."""

    @hookspec
    def rkx_validate(self, cluster: Cluster) -> Sequence[Problem]:
        """Find mistakes in cluster.yml. Asked of all chosen plugins, before any node is touched."""
        raise NotImplementedError

    @hookspec
    def rkx_checks(self, cluster: Cluster, facts: Facts) -> Sequence[Check]:
        """Judge the nodes before the first change. Asked of all, with facts of each node that answered."""
        raise NotImplementedError

    @hookspec
    def rkx_open_transport(self, node: Node, prompt: Prompt | None) -> Transport:
        """Connect to a node. Asked of the transport that the node names, on a worker thread; does I/O.

        ``prompt`` asks the operator for a passphrase and is None without a terminal.
        """
        raise NotImplementedError

    @hookspec
    def rkx_identities(self, cluster: Cluster) -> Sequence[Identity]:
        """Name the credentials that the plugin's parts need. Asked of all, when the file is read and in each run."""
        raise NotImplementedError

    @hookspec
    def rkx_renewals(
        self, cluster: Cluster, identities: Sequence[Identity], saved: Mapping[str, CredentialInfo], now: datetime
    ) -> Sequence[Renewal]:
        """Say which credentials to make or renew, and why. Asked of the named auth plugin; pure."""
        raise NotImplementedError

    @hookspec
    def rkx_issue(self, requests: Sequence[IssueRequest], now: datetime) -> Sequence[Issued | Pending]:
        """Issue certificates. Asked of the named auth plugin, as an action of the plan; may do I/O."""
        raise NotImplementedError

    @hookspec
    def rkx_auth_settings(self, cluster: Cluster, facts: Facts) -> AuthSettings:
        """Say what authentication adds to the API server. Asked of all auth plugins."""
        raise NotImplementedError

    @hookspec
    def rkx_network_settings(self, cluster: Cluster, facts: Facts) -> NetworkSettings:
        """Say what services must know of the network. Asked of the named network, before services."""
        raise NotImplementedError

    @hookspec
    def rkx_network_resources(self, cluster: Cluster, facts: Facts, network: NetworkSettings) -> Sequence[Resource]:
        """Describe the network's manifests, containers and files. Asked of the named network."""
        raise NotImplementedError

    @hookspec
    def rkx_service_resources(
        self, cluster: Cluster, node: Node, facts: Facts, auth: AuthSettings, network: NetworkSettings
    ) -> Sequence[Resource]:
        """Describe the containers and files of one node. Asked of all services, once per node."""
        raise NotImplementedError

    @hookspec
    def rkx_addon_resources(self, cluster: Cluster, network: NetworkSettings) -> Sequence[Resource]:
        """Describe manifests, with what to wait for. Asked of all addons."""
        raise NotImplementedError

    @hookspec
    def rkx_queries(
        self, cluster: Cluster, applied: Sequence[ContainerKey], changes: Sequence[ContainerAction]
    ) -> Sequence[NodeRequest]:
        """Say what to look up at plan time. Asked of all services, in each plan; GET or reads only."""
        raise NotImplementedError

    @hookspec
    def rkx_updates(
        self,
        cluster: Cluster,
        applied: Sequence[ContainerKey],
        changes: Sequence[ContainerAction],
        responses: Responses,
    ) -> Sequence[NodeUpdate | RolloutGroup]:
        """Put steps around a node's changes, or take steps alone. Asked of all services, in each plan; pure."""
        raise NotImplementedError

    @hookspec
    def rkx_step(self, cluster: Cluster, step: Step, responses: Responses, results: Results) -> Verdict:
        """Decide what a step needs next, from fresh answers and its effects. Asked of its owner, at run time; pure."""
        raise NotImplementedError

    @hookspec
    def rkx_amend(self, cluster: Cluster, resources: Sequence[Resource]) -> Sequence[Resource]:
        """Change resources of others. Asked of extensions, in cluster.yml's order."""
        raise NotImplementedError


class Plugin(Generic[C]):
    """What every plugin has: a name, the version of the hooks, a frozen Config and its decoded options."""

    stage: ClassVar[Stage]
    name: ClassVar[str]
    api: ClassVar[int] = API_VERSION
    images: ClassVar[frozenset[str]] = frozenset()
    """The names under ``system_images`` that the plugin asks ``Cluster.image`` for; any other one has no effect."""
    risks: ClassVar[frozenset[str]] = frozenset()
    """The names that the plugin's problems may carry as ``risk``; what cluster.yml accepts is one of these."""
    Config: type[C]

    def __init__(self, config: C) -> None:
        self.config = config


class TransportPlugin(Plugin[C]):
    """A way to reach nodes. One instance serves one node: ``config`` is decoded from that node's options."""

    stage = "transport"

    @abstractmethod
    def rkx_open_transport(self, node: Node, prompt: Prompt | None) -> Transport:
        """Connect to a node."""


class AuthPlugin(Plugin[C]):
    """Who may do what, and by which credentials."""

    stage = "auth"

    @abstractmethod
    def rkx_auth_settings(self, cluster: Cluster, facts: Facts) -> AuthSettings:
        """Say what authentication adds to the API server."""


class NetworkPlugin(Plugin[C]):
    """How pods reach each other."""

    stage = "network"

    @abstractmethod
    def rkx_network_settings(self, cluster: Cluster, facts: Facts) -> NetworkSettings:
        """Say what services must know of the network."""

    @abstractmethod
    def rkx_network_resources(self, cluster: Cluster, facts: Facts, network: NetworkSettings) -> Sequence[Resource]:
        """Describe the network's manifests, containers and files."""


class ServicePlugin(Plugin[C]):
    """Containers that make a node part of the cluster."""

    stage = "service"

    @abstractmethod
    def rkx_service_resources(
        self, cluster: Cluster, node: Node, facts: Facts, auth: AuthSettings, network: NetworkSettings
    ) -> Sequence[Resource]:
        """Describe the containers and files of one node."""


class AddonPlugin(Plugin[C]):
    """Something that runs in the cluster."""

    stage = "addon"

    @abstractmethod
    def rkx_addon_resources(self, cluster: Cluster, network: NetworkSettings) -> Sequence[Resource]:
        """Describe manifests, with what to wait for."""


class ExtensionPlugin(Plugin[C]):
    """Changes what the others describe: a registry mirror, an HTTP proxy, a hardening profile."""

    stage = "extension"

    @abstractmethod
    def rkx_amend(self, cluster: Cluster, resources: Sequence[Resource]) -> Sequence[Resource]:
        """Change resources of others."""
