"""rkx: Kubernetes clusters of containers on machines that run Docker.

The names listed here are the public surface, for plugins and embedders; they are loaded when first asked for. Six are
modules, whose names are public too, each for those who need it: ``action`` and ``step`` (updates of nodes),
``documents`` (YAML), ``errors`` and ``transport`` (transports), ``identity`` (authorities and certificates).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rkx import action, documents, errors, identity, step, transport
    from rkx.api import Options, Project, Run, apply, load, plan, remove, up
    from rkx.errors import ConfigError, NotReady, PreflightFailed, Problem, Refused, RkxError
    from rkx.files import read_text
    from rkx.hooks import (
        API_VERSION,
        AddonPlugin,
        AuthPlugin,
        ExtensionPlugin,
        NetworkPlugin,
        ServicePlugin,
        TransportPlugin,
        hookimpl,
    )
    from rkx.model.checks import Check, Finding, PortClaim
    from rkx.model.cluster import Cluster, PluginRef, PrivateRegistry
    from rkx.model.facts import Facts, HostFacts, Interface, NodeFacts
    from rkx.model.key import ContainerKey, Key
    from rkx.model.manifest import HealthCheck, Manifest, Object
    from rkx.model.milestone import API_READY, Milestone, node_ready, node_started
    from rkx.model.network import AuthSettings, NetworkSettings
    from rkx.model.node import Node, Taint
    from rkx.model.plan import Confirmation, Plan
    from rkx.model.resource import (
        NODE_PROGRAM,
        Container,
        CredentialRef,
        File,
        Folder,
        HostCleanup,
        Mount,
        NodeMetadata,
        Probe,
        Read,
        Resource,
    )
    from rkx.model.risk import Risk
    from rkx.model.update import NodeUpdate, RolloutGroup
    from rkx.secret import Secret, Unread
    from rkx.template import render

_MODULES = ("action", "documents", "errors", "identity", "step", "transport")
_HOMES = {
    "rkx.api": "Options Project Run apply load plan remove up",
    "rkx.errors": "ConfigError NotReady PreflightFailed Problem Refused RkxError",
    "rkx.files": "read_text",
    "rkx.hooks": "API_VERSION AddonPlugin AuthPlugin ExtensionPlugin NetworkPlugin ServicePlugin TransportPlugin"
    " hookimpl",
    "rkx.model.checks": "Check Finding PortClaim",
    "rkx.model.cluster": "Cluster PluginRef PrivateRegistry",
    "rkx.model.facts": "Facts HostFacts Interface NodeFacts",
    "rkx.model.key": "ContainerKey Key",
    "rkx.model.network": "AuthSettings NetworkSettings",
    "rkx.model.node": "Node Taint",
    "rkx.model.plan": "Confirmation Plan",
    "rkx.model.manifest": "Manifest Object HealthCheck",
    "rkx.model.milestone": "API_READY Milestone node_ready node_started",
    "rkx.model.resource": "Container CredentialRef File Folder HostCleanup Mount"
    " NODE_PROGRAM NodeMetadata Probe Read Resource",
    "rkx.model.risk": "Risk",
    "rkx.model.update": "NodeUpdate RolloutGroup",
    "rkx.secret": "Secret Unread",
    "rkx.template": "render",
}
_HOME = {name: home for home, names in _HOMES.items() for name in names.split()}
# fmt: off
__all__ = [  # spelled out, since type checkers read it
    "API_READY", "API_VERSION", "AddonPlugin", "AuthPlugin", "AuthSettings", "Check", "Cluster", "ConfigError",
    "Confirmation", "Container", "ContainerKey", "CredentialRef", "ExtensionPlugin", "Facts", "File", "Finding",
    "Folder", "HealthCheck", "HostCleanup", "HostFacts", "Interface", "Key", "Manifest", "Milestone", "Mount",
    "NODE_PROGRAM", "NetworkPlugin", "NetworkSettings", "Node", "NodeFacts", "NodeMetadata", "NodeUpdate",
    "NotReady", "Object", "Options", "Plan", "PluginRef", "PortClaim", "PreflightFailed", "PrivateRegistry",
    "Probe", "Problem", "Project", "Read", "Refused", "Resource", "Risk", "RkxError", "RolloutGroup", "Run",
    "Secret", "ServicePlugin", "Taint", "TransportPlugin", "Unread", "apply", "hookimpl", "load", "node_ready",
    "node_started", "plan", "read_text", "remove", "render", "up", "action", "documents", "errors", "identity",
    "step", "transport",
]
# fmt: on


if not TYPE_CHECKING:  # or a checker would take every misspelt name for an object

    def __getattr__(name: str) -> object:
        if name in _MODULES:
            return importlib.import_module(f"rkx.{name}")
        if home := _HOME.get(name):
            return getattr(importlib.import_module(home), name)
        raise AttributeError(f"module 'rkx' has no attribute {name!r}")
