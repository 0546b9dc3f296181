"""Observe what a plan rests on, and plan; nodes that hold up no other are left out where they are unfit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from rkx.engine import planner
from rkx.engine.desire import Desired
from rkx.engine.glance import Glance, compared
from rkx.engine.node_requests import send_all
from rkx.engine.observation import ObjectSnapshot, Observation
from rkx.engine.planner import Unanswered
from rkx.engine.preflight import by_node
from rkx.engine.visit import Visit
from rkx.errors import ApiSilent, PreflightFailed
from rkx.model.plan import Plan
from rkx.model.step import NodeRequest


def fit(visit: Visit) -> tuple[Desired, Plan]:
    """Plan; nodes that hold up no other are left out where they alone are unfit, then it is planned for the rest."""
    while True:
        desired = visit.desired()
        try:
            return desired, plan(visit, desired)
        except PreflightFailed as error:
            if not _leave_out(visit, by_node(error)):
                raise


def _leave_out(visit: Visit, unfit: Mapping[str, PreflightFailed]) -> bool:
    held_up = unfit.keys() - visit.optional
    return not held_up and any([visit.leave_out(name, why) for name, why in unfit.items()])


def plan(visit: Visit, desired: Desired) -> Plan:
    """Look at the objects, and plan; the queries of plugins are asked only where the plan needs their answers."""
    observation = _observation(visit, _objects(visit, desired))
    while isinstance(found := planner.plan(visit.plugins, desired, observation, visit.ledger.state), Unanswered):
        observation = _answered(visit, observation, found.queries)
    return found


def plan_removal(visit: Visit, desired: Desired) -> tuple[Desired, Plan]:
    """Plan for nothing."""
    observation = _observation(visit, None)
    wanted = planner.removal_of(desired, observation)
    return wanted, planner.plan_removal(wanted, observation, visit.ledger.state)


def _observation(visit: Visit, objects: ObjectSnapshot | None) -> Observation:
    return Observation(
        nodes=visit.seen,
        objects=objects,
        replaced=visit.replaced,
        unreachable=tuple(sorted(visit.unreachable)),
        findings=tuple(visit.told),
    )


def _answered(visit: Visit, observation: Observation, queries: Sequence[NodeRequest]) -> Observation:
    """Add answers; a node that forbids forwarding, where a plan starts no relay, gives none."""
    responses = {**observation.responses, **send_all(queries, visit.links, visit.ledger)}
    return replace(observation, responses=responses, is_blind=any(link.is_blind for link in visit.links.values()))


def _objects(visit: Visit, desired: Desired) -> ObjectSnapshot | None:
    early, visit.glance = visit.glance, None
    try:
        return _snapshot(visit, desired, early)
    except ApiSilent:
        return None


def _snapshot(visit: Visit, desired: Desired, early: Glance | None) -> ObjectSnapshot:
    glance = early or Glance(visit.api)
    try:
        return glance.snapshot(compared(desired))
    except ApiSilent:
        if early is None:
            raise
    finally:
        glance.close()
    return _snapshot(visit, desired, None)  # the first control plane node was silent: others are there by now
