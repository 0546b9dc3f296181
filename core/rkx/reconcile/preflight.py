"""What is wrong with nodes, found before the first change, all at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import attrgetter

from msgspec.structs import replace

from rkx.errors import PreflightFailed, Problem, Refused
from rkx.lines import cut
from rkx.model.checks import Finding, PortClaim
from rkx.model.cluster import Cluster
from rkx.model.facts import Facts
from rkx.model.key import ContainerKey
from rkx.reconcile.desired import Desired, containers
from rkx.reconcile.layout import NAMES
from rkx.reconcile.node import LOCK
from rkx.reconcile.observe import RKE_LABEL
from rkx.reconcile.seen import SeenNode
from rkx.registry import Plugins

CLOCK_LIMIT_S = 30.0
"""Certificates are valid from five minutes before they are made; other systems refuse at 30 s too (k0sctl)."""


def preflight(plugins: Plugins, desired: Desired, seen: Mapping[str, SeenNode], cluster_id: str) -> list[Finding]:
    """Judge every node; PreflightFailed names all errors, warnings come back."""
    found: list[Finding] = [
        f for name, node in seen.items() for f in (*_rke(name, node), *_names(name, node, desired), *_clock(name, node))
    ]
    claims: list[PortClaim] = []
    for check in plugins.checks(desired.cluster, desired.facts):
        (found if isinstance(check, Finding) else claims).append(check)  # type: ignore[arg-type] # told apart just here
    held = {(c.node, c.port) for c in claims if c.node in seen and c.container in seen[c.node].ours(cluster_id)}
    free = [claim for claim in claims if (claim.node, claim.port) not in held]
    found += [finding for claim in free for finding in _port(claim, desired, seen)]
    found = [readable(finding) for finding in found]
    errors = [finding for finding in found if not finding.warning]
    if errors:
        raise _failed(errors)
    return [finding for finding in found if finding.warning]


def readable(finding: Finding) -> Finding:
    """Shorten what may repeat a node's own words, or name all that it shows."""
    return replace(finding, message=cut(finding.message), hint=cut(finding.hint))


def judged_by_host(plugins: Plugins, desired: Desired) -> set[str]:
    """Name the nodes that plugins refuse for what rkx-node said last: it may be another matter by now."""
    blind = {name: replace(facts, host=None) for name, facts in desired.facts.items()}
    found = _errors(plugins, desired.cluster, desired.facts) - _errors(plugins, desired.cluster, blind)
    return {finding.node for finding in found} & desired.facts.keys()


def _errors(plugins: Plugins, cluster: Cluster, facts: Facts) -> set[Finding]:
    checks = plugins.checks(cluster, facts)
    return {each for each in checks if isinstance(each, Finding) and not each.warning}


def refuse_other_clusters(seen: Mapping[str, SeenNode], cluster_id: str) -> None:
    """Raise Refused if a node carries containers of another cluster of rkx."""
    foreign = [f for name, node in seen.items() for f in _other_clusters(name, node, cluster_id)]
    if foreign:
        raise Refused("; ".join(foreign), hint="take that cluster down with its own state, or use other machines")


def by_node(error: PreflightFailed) -> dict[str, PreflightFailed]:
    """Take a failure apart: one for each node that is to blame, under "" what no node is to blame for."""
    ordered = sorted(error.problems, key=attrgetter("where"))
    return {name: _of_problems([*mine]) for name, mine in groupby(ordered, key=attrgetter("where"))}


def _failed(errors: list[Finding]) -> PreflightFailed:
    return _of_problems([Problem(where=f.node, message=f.message, hint=f.hint) for f in errors])


def _of_problems(problems: Sequence[Problem]) -> PreflightFailed:
    message = "; ".join(f"{each.where}: {each.message}" if each.where else each.message for each in problems)
    hints = dict.fromkeys(each.hint for each in problems if each.hint)
    return PreflightFailed(message, hint="; ".join(hints), problems=problems)


def _other_clusters(name: str, node: SeenNode, cluster_id: str) -> Iterator[str]:
    others = sorted(c.name for c in node.containers.values() if c.cluster and c.cluster != cluster_id)
    if others:
        yield f"{name} carries containers of another cluster: {cut(', '.join(others))}"


def _rke(name: str, node: SeenNode) -> Iterator[Finding]:
    """Find what RKE made, stopped or not, whatever its name: two clusters cannot share a machine."""
    found = sorted(container.name for container in node.containers.values() if RKE_LABEL in container.labels)
    if found:
        yield Finding(
            node=name,
            check="names",
            message=f"containers made by RKE are on the machine: {', '.join(found)}",
            hint="take that cluster down with RKE first, or remove what it left; nothing was changed",
        )


def _names(name: str, node: SeenNode, desired: Desired) -> Iterator[Finding]:
    """Find containers that are not ours under names that we need, whoever made them."""
    wanted = {container.name for container in containers(desired.on(name))} | {*NAMES.values(), LOCK}
    for container in sorted(wanted & node.containers.keys()):
        if not node.containers[container].cluster and RKE_LABEL not in node.containers[container].labels:
            image = node.containers[container].image
            yield Finding(
                node=name,
                check="names",
                message=f"a container {container!r} that rkx did not make is on the machine ({image})",
                hint="remove it, or take the cluster that it belongs to down first; nothing was changed",
            )


def _clock(name: str, node: SeenNode) -> Iterator[Finding]:
    offset, error = node.facts.clock_offset_s, node.facts.clock_error_s
    if abs(offset) - error > CLOCK_LIMIT_S:
        yield Finding(
            node=name,
            check="clock",
            message=f"its clock is {offset:+.0f} s off this computer's",
            hint="set both clocks (NTP), then run rkx again",
        )


def _port(claim: PortClaim, desired: Desired, seen: Mapping[str, SeenNode]) -> Iterator[Finding]:
    facts, node = desired.facts.get(claim.node), seen.get(claim.node)
    if ContainerKey(claim.node, claim.container) not in desired.resources:
        return
    if node is None or facts is None or facts.host is None:
        return
    for listener in facts.host.listening:
        if listener.port == claim.port and listener.proto.startswith(claim.proto):
            yield Finding(
                node=claim.node,
                check="ports",
                message=f"{claim.proto} port {claim.port} of {claim.container} is taken on {listener.address}",
                hint="stop what listens there, then run rkx again",
            )
            return
