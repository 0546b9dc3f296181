"""All chosen plugins behind one typed method per hook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from msgspec.structs import replace

from rkx.errors import Problem
from rkx.model.action import ContainerAction
from rkx.model.checks import Finding, PortClaim
from rkx.model.cluster import Cluster, Stage
from rkx.model.facts import Facts
from rkx.model.identity import NODE_CLIENT_CA, CredentialInfo, Identity, Issued, IssueRequest, Pending, Renewal
from rkx.model.key import ContainerKey
from rkx.model.manifest import Manifest
from rkx.model.network import AuthSettings, NetworkSettings
from rkx.model.node import Node
from rkx.model.resource import Container, File, Folder, HostCleanup, NodeMetadata, Resource, stamped
from rkx.model.step import Do, Done, NodeRequest, Refuse, Responses, Results, Step, Verdict, Wait
from rkx.model.update import NodeUpdate, RolloutGroup, UpdateStep
from rkx.registry.calls import Calls, Chosen
from rkx.transport import Prompt, Transport

RESOURCES = (Container, File, Folder, HostCleanup, Manifest, NodeMetadata)

NO_RESULTS: Results = MappingProxyType({})


class Plugins:
    """All chosen plugins, with one typed method per hook."""

    def __init__(self, chosen: Sequence[Chosen]) -> None:
        self._calls = Calls(chosen)
        self._chosen = self._calls.chosen

    def of(self, stage: Stage) -> tuple[Chosen, ...]:
        """List the chosen plugins of a stage, in cluster.yml's order."""
        return tuple(each for each in self._chosen if each.ref.stage == stage)

    def versions(self) -> list[tuple[str, str, str]]:
        """List stage, name and distribution of each plugin in use."""
        return [(each.ref.stage, each.ref.name, each.owner) for each in self._chosen]

    def images(self) -> frozenset[str]:
        """Return the names under ``system_images`` that the chosen plugins ask for."""
        return frozenset(name for each in self._chosen for name in each.plugin.images)

    def risks(self) -> frozenset[str]:
        """Return the names of the risks that the chosen plugins know."""
        return frozenset(name for each in self._chosen for name in each.plugin.risks)

    def _named(self, stage: Stage) -> Chosen:
        return self.of(stage)[0]

    def validate(self, cluster: Cluster) -> list[Problem]:
        """Ask every plugin for mistakes in cluster.yml; PluginFault if one carries a risk that its plugin lacks."""
        found: list[Problem] = []
        for each in self._chosen:
            own = self._calls.many(each, "rkx_validate", (Problem,), cluster=cluster)
            if strange := {problem.risk for problem in own} - each.plugin.risks - {""}:
                raise each.fault(f"rkx_validate returned the risk {min(strange)!r}, which is none of its own")
            found += own
        return found

    def checks(self, cluster: Cluster, facts: Facts) -> list[Finding | PortClaim]:
        """Ask every plugin to judge the nodes."""
        kinds = (Finding, PortClaim)
        return [
            check
            for each in self._chosen
            for check in self._calls.many(each, "rkx_checks", kinds, cluster=cluster, facts=facts)
        ]

    def open_transport(self, chosen: Chosen, node: Node, prompt: Prompt | None) -> Transport:
        """Connect to a node, on the caller's thread, without a deadline; PluginFault if that is not a transport."""
        [transport] = self._calls.call_alone(chosen, "rkx_open_transport", node=node, prompt=prompt)
        if not isinstance(transport, Transport):
            raise chosen.fault(f"rkx_open_transport returned {type(transport).__name__}, not a transport")
        return transport

    def identities(self, cluster: Cluster) -> list[Identity]:
        """Collect the credentials that all parts need, sorted by name; PluginFault if two plugins claim one."""
        found: dict[str, Identity] = {}
        for each in self._chosen:
            for identity in self._calls.many(each, "rkx_identities", (Identity,), cluster=cluster):
                if identity.name in found:
                    raise each.fault(f"identity {identity.name!r} is claimed by {found[identity.name].owner} too")
                found[identity.name] = replace(identity, owner=each.stamp)
        if NODE_CLIENT_CA not in found:  # nothing signs in the cluster, so nothing is renewed there
            found = {name: _lasting(identity) for name, identity in found.items()}
        return [found[name] for name in sorted(found)]

    def renewals(
        self, cluster: Cluster, identities: Sequence[Identity], saved: Mapping[str, CredentialInfo], now: datetime
    ) -> list[Renewal]:
        """Ask the auth plugin which credentials to make or renew."""
        return self._calls.many(
            self._named("auth"),
            "rkx_renewals",
            (Renewal,),
            cluster=cluster,
            identities=tuple(identities),
            saved=saved,
            now=now,
        )

    def issue(self, requests: Sequence[IssueRequest], now: datetime) -> list[Issued | Pending]:
        """Have the auth plugin issue certificates."""
        named = self._named("auth")
        own = tuple(r if r.identity.owner == named.stamp or r.signer else replace(r, key=None) for r in requests)
        return self._calls.many(named, "rkx_issue", (Issued, Pending), timed=False, requests=own, now=now)

    def auth_settings(self, cluster: Cluster, facts: Facts) -> AuthSettings:
        """Merge what all auth plugins add to the API server; the same argument twice is a fault."""
        arguments: dict[str, str] = {}
        files: list[File] = []
        signers: list[str] = []
        for each in self.of("auth"):
            settings = self._calls.one(each, "rkx_auth_settings", AuthSettings, cluster=cluster, facts=facts)
            if twice := sorted(arguments.keys() & settings.arguments.keys()):
                raise each.fault(f"--{twice[0]} is set by another auth plugin too")
            arguments |= settings.arguments
            files += settings.files
            signers += [settings.node_signer] if settings.node_signer else []
            if len(signers) > 1:
                raise each.fault(f"{signers[1]} cannot sign for nodes: another auth plugin's {signers[0]} does")
        return AuthSettings(arguments=arguments, files=tuple(files), node_signer="".join(signers))

    def network_settings(self, cluster: Cluster, facts: Facts) -> NetworkSettings:
        """Ask the named network what services must know."""
        return self._calls.one(
            self._named("network"), "rkx_network_settings", NetworkSettings, cluster=cluster, facts=facts
        )

    def network_resources(self, cluster: Cluster, facts: Facts, network: NetworkSettings) -> list[Resource]:
        """Ask the named network for its resources."""
        return self._resources(
            self._named("network"), "rkx_network_resources", None, cluster=cluster, facts=facts, network=network
        )

    def service_resources(
        self, cluster: Cluster, node: Node, facts: Facts, auth: AuthSettings, network: NetworkSettings
    ) -> list[Resource]:
        """Ask all services for one node's resources."""
        return [
            resource
            for each in self.of("service")
            for resource in self._resources(
                each,
                "rkx_service_resources",
                node.name,
                cluster=cluster,
                node=node,
                facts=facts,
                auth=auth,
                network=network,
            )
        ]

    def addon_resources(self, cluster: Cluster, network: NetworkSettings) -> list[Resource]:
        """Ask all addons for their manifests."""
        return [
            resource
            for each in self.of("addon")
            for resource in self._resources(each, "rkx_addon_resources", "", cluster=cluster, network=network)
        ]

    def _resources(self, chosen: Chosen, hook: str, allowed: str | None, /, **arguments: Any) -> list[Resource]:  # noqa: ANN401
        found: list[Resource] = self._calls.many(chosen, hook, RESOURCES, **arguments)
        for resource in found:
            if allowed is not None and resource.key.node not in ("", allowed):
                raise chosen.fault(f"{hook} for {allowed or 'the cluster'} returned {resource.key}")
        return [stamped(resource, chosen.stamp) for resource in found]

    def amended(self, cluster: Cluster, resources: Sequence[Resource]) -> list[Resource]:
        """Let each extension change resources, in cluster.yml's order."""
        current = list(resources)
        for each in self.of("extension"):
            current = self._calls.many(each, "rkx_amend", RESOURCES, cluster=cluster, resources=tuple(current))
        return current

    def queries(
        self, cluster: Cluster, applied: Sequence[ContainerKey], changes: Sequence[ContainerAction]
    ) -> list[NodeRequest]:
        """Collect what services want looked up at plan time."""
        given: dict[str, Any] = {"cluster": cluster, "applied": tuple(applied), "changes": tuple(changes)}
        return [
            query
            for each in self.of("service")
            for query in self._calls.many(each, "rkx_queries", (NodeRequest,), **given)
        ]

    def updates(
        self,
        cluster: Cluster,
        applied: Sequence[ContainerKey],
        changes: Sequence[ContainerAction],
        responses: Responses,
    ) -> list[NodeUpdate | RolloutGroup]:
        """Collect the steps that services put around changes; each is stamped with its owner."""
        found: list[NodeUpdate | RolloutGroup] = []
        for each in self.of("service"):
            arguments: dict[str, Any] = {"cluster": cluster, "applied": tuple(applied), "responses": responses}
            for update in self._calls.many(
                each, "rkx_updates", (NodeUpdate, RolloutGroup), changes=tuple(changes), **arguments
            ):
                found.append(_owned(update, each.stamp) if isinstance(update, NodeUpdate) else update)
        return found

    def step(self, cluster: Cluster, step: Step, responses: Responses, results: Results = NO_RESULTS) -> Verdict:
        """Ask the step's owner what it needs next; PluginFault if that is not a verdict."""
        owner = next(each for each in self._chosen if each.stamp == step.owner)
        given: dict[str, Any] = {"cluster": cluster, "step": step, "responses": responses, "results": results}
        [verdict] = self._calls.call(owner, "rkx_step", **given)
        if not isinstance(verdict, Done | Do | Wait | Refuse):
            raise owner.fault(f"rkx_step returned {type(verdict).__name__}, not a verdict")
        return verdict


def _lasting(identity: Identity) -> Identity:
    return replace(identity, life="lasting") if identity.life == "self-renewed" else identity


def _owned(update: NodeUpdate, owner: str) -> NodeUpdate:
    def own(steps: tuple[UpdateStep, ...]) -> tuple[UpdateStep, ...]:
        return tuple(replace(step, owner=owner) for step in steps)

    return replace(update, owner=owner, pre_steps=own(update.pre_steps), post_steps=own(update.post_steps))
