"""Laws for what a service makes of a node's roles."""

from __future__ import annotations

from rkx.model.key import Key
from rkx.model.node import Role
from rkx.testing.conformance import samples
from rkx.testing.conformance.subject import Case, Subject

STAGES = ("service",)


def test_roles_of_a_node_bring_what_each_alone_brings(subject: Subject) -> None:
    """Every choice of roles is described, and holds nothing that none of its roles asks for."""
    alone = {roles[0]: _keys(subject, roles) for roles in samples.subsets() if len(roles) == 1}
    for roles in samples.subsets():
        allowed = set[Key]().union(*(alone[role] for role in roles))
        assert sorted(_keys(subject, roles) - allowed) == [], f"on a node with {', '.join(roles)}"


def _keys(subject: Subject, roles: tuple[Role, ...]) -> set[Key]:
    cluster = samples.cluster((roles, samples.ROLES), subject.chosen.ref)
    [facts, *_] = samples.facts(cluster)
    only_first = {cluster.nodes[0].name: facts[cluster.nodes[0].name]}
    return {resource.key for resource in subject.resources(Case(cluster=cluster, facts=only_first))}
