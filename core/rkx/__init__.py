"""rkx: Kubernetes clusters of containers on machines that run Docker.

The names listed here are the public surface, for plugins and embedders; they are loaded when first asked for.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rkx.api import Run, apply, load, plan
    from rkx.documents import YamlDocument, YamlFault, yaml_documents
    from rkx.errors import (
        AuthRejected,
        ConfigError,
        ConnectFailed,
        HostKeyMismatch,
        NotReady,
        PreflightFailed,
        Problem,
        Refused,
        RkxError,
        StreamRefused,
        TimedOut,
        TransportError,
    )
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
    from rkx.model.action import (
        Action,
        Change,
        ContainerAction,
        CordonNode,
        CreateContainer,
        DrainNode,
        RemoveContainer,
        ReplaceContainer,
        RestartContainer,
        StartContainer,
        UncordonNode,
        WaitForNode,
    )
    from rkx.model.checks import Check, Finding, PortClaim
    from rkx.model.cluster import Cluster, DrainOptions, Percentage, PluginRef, Registry, UpgradeStrategy
    from rkx.model.facts import Facts, HostFacts, Interface, NodeFacts
    from rkx.model.identity import (
        ADMIN,
        DATASTORE_CA,
        FRONT_PROXY_CA,
        INSTALLER,
        KUBERNETES_CA,
        NODE_CLIENT_CA,
        SUPER_ADMIN,
        Authority,
        CredentialInfo,
        Identity,
        Issued,
        IssueRequest,
        Pending,
        Renewal,
        describe,
    )
    from rkx.model.key import ContainerKey, Key
    from rkx.model.network import AuthSettings, NetworkSettings
    from rkx.model.node import Node, Taint
    from rkx.model.plan import Confirmation, Plan
    from rkx.model.resource import (
        API_READY,
        NODE_PROGRAM,
        Container,
        CredentialRef,
        File,
        Folder,
        HostCleanup,
        Manifest,
        Milestone,
        Mount,
        NodeMetadata,
        Object,
        Probe,
        Read,
        Resource,
        Rollout,
        node_ready,
        node_started,
    )
    from rkx.model.risk import Risk
    from rkx.model.step import (
        CopyFile,
        Do,
        Done,
        Effect,
        FileCopied,
        NodeRequest,
        NodeResponse,
        Refuse,
        Responses,
        Results,
        RunTask,
        Step,
        TaskResult,
        Verdict,
        Wait,
    )
    from rkx.model.update import NodeUpdate, RolloutGroup
    from rkx.secret import Secret, Unread
    from rkx.template import render
    from rkx.transport import Channel, DialForbidden, Dials, Prompt, Transport, bridge

_HOMES = {
    "rkx.api": "Run apply load plan",
    "rkx.documents": "YamlDocument YamlFault yaml_documents",
    "rkx.errors": "AuthRejected ConfigError ConnectFailed HostKeyMismatch NotReady PreflightFailed Problem Refused"
    " RkxError StreamRefused TimedOut TransportError",
    "rkx.files": "read_text",
    "rkx.hooks": "API_VERSION AddonPlugin AuthPlugin ExtensionPlugin NetworkPlugin ServicePlugin TransportPlugin"
    " hookimpl",
    "rkx.model.checks": "Check Finding PortClaim",
    "rkx.model.cluster": "Cluster DrainOptions Percentage PluginRef Registry UpgradeStrategy",
    "rkx.model.facts": "Facts HostFacts Interface NodeFacts",
    "rkx.model.identity": "ADMIN DATASTORE_CA FRONT_PROXY_CA INSTALLER KUBERNETES_CA NODE_CLIENT_CA SUPER_ADMIN"
    " Authority Renewal"
    " Identity Issued IssueRequest Pending CredentialInfo describe",
    "rkx.model.network": "AuthSettings NetworkSettings",
    "rkx.model.node": "Node Taint",
    "rkx.model.action": "Action Change ContainerAction CordonNode CreateContainer DrainNode RemoveContainer"
    " ReplaceContainer RestartContainer StartContainer UncordonNode WaitForNode",
    "rkx.model.key": "ContainerKey Key",
    "rkx.model.plan": "Confirmation Plan",
    "rkx.model.resource": "API_READY NODE_PROGRAM Container File Folder HostCleanup Manifest Milestone Mount Object"
    " CredentialRef Probe Read NodeMetadata Resource Rollout node_ready node_started",
    "rkx.model.risk": "Risk",
    "rkx.model.step": "CopyFile Do Done Effect FileCopied NodeRequest NodeResponse Refuse Responses Results RunTask"
    " Step TaskResult Verdict Wait",
    "rkx.model.update": "NodeUpdate RolloutGroup",
    "rkx.template": "render",
    "rkx.secret": "Secret Unread",
    "rkx.transport": "Channel DialForbidden Dials Prompt Transport bridge",
}
_HOME = {name: home for home, names in _HOMES.items() for name in names.split()}
# fmt: off
__all__ = [  # spelled out, since type checkers read it
    "Run", "apply", "load", "plan", "AuthRejected", "ConfigError", "ConnectFailed", "HostKeyMismatch", "NotReady",
    "PreflightFailed", "Problem", "Refused", "RkxError", "StreamRefused", "TimedOut", "TransportError", "API_VERSION",
    "AddonPlugin", "AuthPlugin", "ExtensionPlugin", "NetworkPlugin", "ServicePlugin", "TransportPlugin", "hookimpl",
    "Check", "Finding", "PortClaim", "Cluster", "DrainOptions", "Percentage", "PluginRef", "Registry",
    "UpgradeStrategy", "Facts", "HostFacts", "Interface", "NodeFacts", "ADMIN", "DATASTORE_CA", "FRONT_PROXY_CA",
    "INSTALLER", "KUBERNETES_CA", "SUPER_ADMIN", "Authority", "Renewal", "Identity", "Issued", "IssueRequest",
    "Pending", "CredentialInfo", "describe",
    "AuthSettings", "NetworkSettings", "Node", "Taint", "Action", "Change", "CordonNode", "DrainNode", "UncordonNode",
    "WaitForNode", "Confirmation", "Plan", "Risk", "API_READY",
    "NODE_PROGRAM", "Container", "File", "Folder", "Key", "HostCleanup", "Manifest", "Milestone", "Mount", "Object",
    "CredentialRef", "Probe", "Read", "NodeMetadata", "Resource", "Rollout", "node_ready", "node_started", "Do", "Done",
    "CopyFile", "Effect", "FileCopied", "Results", "RunTask", "TaskResult",
    "NodeRequest", "NodeResponse", "NodeUpdate", "Refuse", "Responses", "RolloutGroup", "Step", "Verdict", "Wait",
    "render", "Secret", "Channel", "DialForbidden",
    "Dials", "Prompt", "Transport", "bridge", "YamlDocument", "YamlFault", "yaml_documents", "Unread",
    "NODE_CLIENT_CA", "ContainerAction", "ContainerKey", "CreateContainer", "RemoveContainer", "ReplaceContainer",
    "RestartContainer", "StartContainer", "read_text",
]
# fmt: on


if not TYPE_CHECKING:  # or a checker would take every misspelt name for an object

    def __getattr__(name: str) -> object:
        if home := _HOME.get(name):
            return getattr(importlib.import_module(home), name)
        raise AttributeError(f"module 'rkx' has no attribute {name!r}")
